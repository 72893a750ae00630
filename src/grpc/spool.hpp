// SPDX-License-Identifier: Apache-2.0
// Messages on their way to a slow reader: in memory, and beyond a limit in a file without a name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "turboci/error.hpp"

namespace turboci::rpc {

/// First in, first out. All is put in before anything is taken out: what is read from a store is read in one
/// transaction, which must not wait for whoever reads the answer. Not thread-safe.
template <class Message>
class Spool {
public:
    explicit Spool(std::size_t memory_bytes) : memory_left_(memory_bytes) {}

    /// STORE if there is no room for the file.
    void put(Message message) {
        const std::size_t bytes = message.ByteSizeLong();
        if (!file_ && bytes <= memory_left_) {
            memory_left_ -= bytes;
            messages_.push_back(std::move(message));
            return;
        }
        if (!file_) file_.reset(std::tmpfile());
        const std::string text = message.SerializeAsString();
        const std::uint64_t size = text.size();
        if (!file_ || std::fwrite(&size, sizeof size, 1, file_.get()) != 1 ||
            std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size())
            throw Error(ErrorCode::store, "there is no room for an answer in the folder for temporary files");
        ++in_file_;
    }
    /// False: there is no more. STORE if the file cannot be read.
    [[nodiscard]] bool take(Message& message) {
        if (!messages_.empty()) {
            message = std::move(messages_.front());
            messages_.pop_front();
            return true;
        }
        if (in_file_ == 0) return false;
        if (!std::exchange(rewound_, true)) std::rewind(file_.get());
        --in_file_;
        std::uint64_t size = 0;
        std::string text;
        bool whole = std::fread(&size, sizeof size, 1, file_.get()) == 1;
        if (whole) {
            text.resize(static_cast<std::size_t>(size));
            whole = std::fread(text.data(), 1, text.size(), file_.get()) == text.size() &&
                    message.ParseFromString(text);
        }
        if (!whole) throw Error(ErrorCode::store, "an answer cannot be read back from its temporary file");
        return true;
    }

private:
    struct Close {
        void operator()(std::FILE* file) const noexcept { std::fclose(file); }
    };
    std::deque<Message> messages_;
    std::size_t memory_left_;
    std::unique_ptr<std::FILE, Close> file_;
    std::size_t in_file_ = 0;
    bool rewound_ = false;
};

}  // namespace turboci::rpc
