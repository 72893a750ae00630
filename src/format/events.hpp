// SPDX-License-Identifier: Apache-2.0
// The neutral stream of events that YAML and JSON are turned into, and who receives it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "turboci/error.hpp"
#include "turboci/plan_file.hpp"

namespace turboci {

/// What a scalar is by the YAML 1.2 core schema, or by JSON.
enum class ScalarKind : std::uint8_t {
    null,
    boolean,
    integer,  ///< of any length; the receiver checks the range
    real,
    string,
    invalid,  ///< already reported; stands where a value should
};

/// One scalar. `text` lives until the next event.
struct Scalar {
    ScalarKind kind = ScalarKind::string;
    bool plain = false;     ///< written without quotes in YAML: `text` is what the user meant as a name
    std::string_view text;  ///< a string's value; else the token as written
};

/// Problems of one file, kept apart until it is known whether the text is read as JSON or as YAML.
class FileProblems {
public:
    struct Found {
        ErrorCode code;
        Position at;
        std::string message;
    };
    void add(ErrorCode code, Position at, std::string message) {
        last_ = {code, at, std::move(message)};
        if (found_.size() < Problems::kMaxKept) {
            found_.push_back(last_);
        } else {
            ++more_;
        }
    }
    void add(Position at, std::string message) { add(ErrorCode::invalid_argument, at, std::move(message)); }
    void warn(Position at, std::string message) { warnings_.emplace_back(at, std::move(message)); }
    [[nodiscard]] bool empty() const noexcept { return found_.empty(); }
    /// Of all, those included that are only counted.
    [[nodiscard]] std::size_t size() const noexcept { return found_.size() + more_; }
    /// The one added last, kept or not; of a source that ended with ReadEnd::syntax, why.
    [[nodiscard]] const Found& last() const noexcept { return last_; }
    /// Further messages are counted only: not worth making.
    [[nodiscard]] bool full() const noexcept { return found_.size() >= Problems::kMaxKept; }
    void move_to(Problems& problems) {
        for (auto& f : found_) problems.add(f.code, f.at, std::move(f.message));
        for (; more_ > 0; --more_) problems.add(ErrorCode::invalid_argument, {}, {});
        found_.clear();
        for (auto& [at, message] : warnings_) problems.warn(at, std::move(message));
        warnings_.clear();
    }

    /// Is there a problem or a warning?
    [[nodiscard]] bool has_any() const noexcept { return !found_.empty() || !warnings_.empty(); }
    /// Empties it into `other`, but for what stands where is_new(position) says no.
    template <class IsNew>
    void move_to(FileProblems& other, const IsNew& is_new) {
        for (auto& f : found_)
            if (is_new(f.at)) other.add(f.code, f.at, std::move(f.message));
        for (auto& [at, message] : warnings_)
            if (is_new(at)) other.warn(at, std::move(message));
        if (other.full()) other.more_ += more_;
        found_.clear();
        warnings_.clear();
        more_ = 0;
    }

private:
    std::vector<Found> found_;
    Found last_{ErrorCode::invalid_argument, {}, {}};
    std::size_t more_ = 0;  ///< counted, not kept
    std::vector<std::pair<Position, std::string>> warnings_;
};

/// Receives events. Sources guarantee balance, keys only in maps and one value after each, no key twice in
/// a map, valid UTF-8, and nesting of kMaxNesting at most; a stream may stop short after a problem.
class EventSink {
public:
    virtual ~EventSink() = default;
    virtual void begin_map(Position at) = 0;
    virtual void end_map(Position at) = 0;
    virtual void begin_seq(Position at) = 0;
    virtual void end_seq(Position at) = 0;
    virtual void key(std::string_view text, Position at) = 0;
    virtual void scalar(const Scalar& scalar, Position at) = 0;
};

/// How a source ended.
enum class ReadEnd : std::uint8_t {
    complete,  ///< all was read, with or without problems
    syntax,    ///< not of this grammar; the problem is the last one added
    refused,   ///< beyond a limit; reported
};

}  // namespace turboci
