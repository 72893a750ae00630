// SPDX-License-Identifier: Apache-2.0
// Turns the neutral events of one plan file into a WriteNodes request.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/stage_args.hpp"
#include "format/events.hpp"
#include "format/plan_keys.hpp"
#include "turboci/requests.hpp"

namespace turboci {

/// Follows the tables of plan_keys.hpp. A wrong value is reported and passed over; what is right around it
/// is still read. No recursion: the stack is frames_.
class PlanReader final : public EventSink {
public:
    /// Adds to `request`, which must stay where it is.
    PlanReader(WriteNodes& request, FileProblems& problems);

    void begin_map(Position at) override;
    void end_map(Position at) override;
    void begin_seq(Position at) override;
    void end_seq(Position at) override;
    void key(std::string_view text, Position at) override;
    void scalar(const Scalar& scalar, Position at) override;
    /// After the last event.
    void finish();
    /// Did a map come that PlanExpander must deal with?
    [[nodiscard]] bool needs_expansion() const noexcept { return needs_expansion_; }
    /// How the next scalar was written that a matrix has filled in; empty: as it comes. References are kept
    /// as they were written, as only all files together say what they mean.
    void set_written(std::string_view text) noexcept { written_ = text; }

private:
    struct Frame {
        Place place = Place::skip;
        bool first = true;              ///< json, labels: no comma yet
        std::uint32_t seen = 0;         ///< keys of plan_keys(place) that came, by bit
        const KeyRule* rule = nullptr;  ///< maps: of the value that comes next; nullptr: passed over
        PredicateSpec* into = nullptr;  ///< members: where they go
        std::string_view list;          ///< lists: their key, for messages
        Position at;
    };
    /// A map that is an edge or a group; which of them is known at its end.
    struct Member {
        EdgeSpec edge;
        PredicateSpec group;
        PredicateSpec* into = nullptr;  ///< the list's group; the whole predicate for Place::group
        bool has_list = false;          ///< its members were a list, as they must be
    };
    /// The keys that name a result's owner.
    struct OwnerKeys {
        std::optional<std::string> type, id, stage;
        std::optional<std::int64_t> attempt;
        Position type_at, id_at, stage_at, attempt_at;
    };

    // plan_reader.cpp: the walk
    [[nodiscard]] Frame& top() noexcept { return frames_.back(); }
    [[nodiscard]] const KeyRule* expected() noexcept;
    void begin_collection(bool map, Position at);
    void push(Place place, Position at);
    void open_map(const KeyRule& rule, Position at);
    template <class Write>
    void begin_node(Write& write, Position at);
    void open_list(const KeyRule& rule, Position at);
    void open_object(const KeyRule& rule, Position at);
    void open_value(const KeyRule& rule, char bracket, Position at);
    void close_map(const Frame& frame);
    void begin_json(char bracket, Position at);
    void end_json(char bracket, Position at);
    void json_comma();
    void judge_args(std::string problem, Position at);
    void args_key(std::string_view text, Position at);
    void args_scalar(const Scalar& scalar, Position at);
    void label(const Scalar& scalar, Position at);
    [[nodiscard]] bool is_default_node(Place place) const noexcept;
    void add_labels();
    void unknown_key(std::string_view text, Position at);
    void wrong_form(const KeyRule& rule, std::string_view found, Position at);
    void problem(Position at, std::string message) { problems_.add(at, std::move(message)); }

    // plan_reader_values.cpp: one scalar
    void put_scalar(const KeyRule& rule, const Scalar& scalar, Position at);
    void put_null(const KeyRule& rule, Position at);
    void put_text(const KeyRule& rule, std::string_view text, Position at);
    void put_integer(const KeyRule& rule, std::int64_t value, Position at);
    void put_boolean(const KeyRule& rule, bool value);
    void put_duration(const KeyRule& rule, Duration value, Position at);
    /// What has been carried as JSON for value_rule_.
    void put_value();
    template <class T, class Put>
    void take_value(std::variant<T, std::string> parsed, const Put& put);
    template <class Write>
    void put_condition(Write& write);
    void put_header(std::string& field, std::string_view text, std::string_view name, Position at);
    void put_state(std::optional<State>& field, std::string_view text, std::string_view known, Position at);
    void put_assignment(std::string_view text, Position at);

    // plan_reader_nodes.cpp: predicates and owners
    PredicateSpec& predicate_of(Slot slot, Position at);
    [[nodiscard]] RefText reference(std::string_view text) const;
    void open_members(PredicateSpec& into);
    void open_group_list(const KeyRule& rule, Position at);
    void close_member(const Frame& frame);
    [[nodiscard]] bool check_group(const Member& member, const Frame& frame);
    void close_owner();

    WriteNodes& request_;
    FileProblems& problems_;
    std::vector<Frame> frames_;
    std::deque<Member> members_;  ///< open Place::group and Place::member frames; addresses stay
    CheckWrite check_;            ///< the node that is being read; it goes into the request when it is whole
    StageWrite stage_;
    std::vector<EdgeSpec> spare_edges_;  ///< memory of the dependencies of the node before
    std::string json_;
    JsonText* json_into_ = nullptr;
    const KeyRule* value_rule_ = nullptr;  ///< while the value of such a key is carried
    Position value_at_;
    std::size_t value_problems_ = 0;  ///< how many there were before it
    std::optional<StageArgs> args_;   ///< while a stage's args are read
    bool args_sound_ = true;          ///< nothing was wrong with them
    JsonText labels_;
    std::string later_labels_;  ///< of all documents but the first that has some: merged once, at the end
    OwnerKeys owner_;
    std::string_view written_;  ///< see set_written()
    bool needs_expansion_ = false;
    bool in_defaults_ = false;
    bool in_attempt_ = false;       ///< whose failure is read
    bool in_continuation_ = false;  ///< bare names are stages there
};

}  // namespace turboci
