// SPDX-License-Identifier: Apache-2.0
#include "runner/attempt_log.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "os/log_file.hpp"
#include "runner/log_tail.hpp"
#include "turboci/error.hpp"

namespace turboci {

namespace {

[[noreturn]] void fail(const std::string& path) {
    throw Error(ErrorCode::store, fmt::format("cannot write logs in '{}': {}", path, std::strerror(errno)),
                "make it a directory of your own, or remove it");
}

UniqueFd open_directory(int parent, const std::string& name, const std::string& path) {
    if (::mkdirat(parent, name.c_str(), 0700) != 0 && errno != EEXIST) fail(path);
    UniqueFd directory(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory) fail(path);
    return directory;
}

/// Best effort: without it the logs of another plan may stand beside those of this one.
void write_owner(int directory, std::string_view identity) {
    const UniqueFd file(::openat(directory, kLogOwnerFile, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (file) static_cast<void>(::write(file.get(), identity.data(), identity.size()) == 0);
}

}  // namespace

AttemptLog::AttemptLog(UniqueFd file, std::string path, std::size_t limit)
    : file_(std::move(file)),
      path_(std::move(path)),
      head_(limit / 2),
      ring_(std::max<std::uint64_t>(1, limit - limit / 2)) {}

AttemptLog::AttemptLog(std::shared_ptr<const UniqueFd> directory, std::string name, std::string path,
                       std::size_t limit)
    : AttemptLog(UniqueFd(), std::move(path), limit) {
    directory_ = std::move(directory);
    name_ = std::move(name);
}

AttemptLog::~AttemptLog() { finish(); }

std::string AttemptLog::relative_path() const { return relative_log_path(path_); }

void AttemptLog::make() noexcept {
    if (!directory_) return;
    constexpr int kFlags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    file_.reset(::openat(directory_->get(), name_.c_str(), kFlags, 0600));
    if (!file_ && errno == EEXIST) {
        ::unlinkat(directory_->get(), name_.c_str(), 0);
        file_.reset(::openat(directory_->get(), name_.c_str(), kFlags, 0600));
    }
    if (!file_) error_ = errno;
    directory_.reset();
}

void AttemptLog::put(std::string_view bytes, std::uint64_t offset) noexcept {
    while (!bytes.empty() && error_ == 0) {
        const ssize_t n = ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            error_ = n < 0 ? errno : EIO;
            return;
        }
        bytes.remove_prefix(static_cast<std::size_t>(n));
        offset += static_cast<std::uint64_t>(n);
    }
}

void AttemptLog::write(std::string_view bytes) noexcept {
    written_ = std::chrono::steady_clock::now();
    make();
    if (bytes.size() >= kTailBytes) {
        tail_.assign(bytes.substr(bytes.size() - kTailBytes));
    } else {
        if (tail_.size() + bytes.size() > 2 * kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);
        tail_.append(bytes);
    }
    while (!bytes.empty()) {
        const bool in_head = total_ < head_;
        const std::uint64_t place = in_head ? total_ : (total_ - head_) % ring_;
        const std::uint64_t room = (in_head ? head_ : ring_) - place;
        const std::string_view part =
            bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(room, bytes.size())));
        put(part, in_head ? place : head_ + place);
        total_ += part.size();
        bytes.remove_prefix(part.size());
    }
}

Duration AttemptLog::quiet_for() const noexcept {
    return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - written_);
}

void AttemptLog::finish() noexcept {
    make();
    if (!file_) return;
    if (total_ > head_ + ring_ && error_ == 0) {
        const std::uint64_t start = (total_ - head_) % ring_;
        std::string last(static_cast<std::size_t>(ring_), '\0');
        std::size_t got = 0;
        while (got < last.size()) {
            const std::uint64_t from = (start + got) % ring_;
            const std::size_t want =
                static_cast<std::size_t>(std::min<std::uint64_t>(ring_ - from, last.size() - got));
            const ssize_t n = ::pread(file_.get(), last.data() + got, want, static_cast<off_t>(head_ + from));
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) break;
            got += static_cast<std::size_t>(n);
        }
        last.resize(got);
        const std::string note = fmt::format("\n... {} bytes left out ...\n", total_ - head_ - ring_);
        put(note, head_);
        put(last, head_ + note.size());
    }
    file_.reset();
}

std::string AttemptLog::tail() const { return last_lines(tail_, tail_.size() < total_); }

bool remove_logs(const std::string& store_path, const std::string& plan) noexcept {
    const std::string base = store_path + ".logs";
    std::error_code failed;
    // Symbolic links are removed, not followed.
    std::filesystem::remove_all(base + "/" + plan, failed);
    const bool gone = !failed;
    std::filesystem::remove(base, failed);  // if it was the last
    return gone;
}

LogDirectory::LogDirectory(const std::string& store_path, const std::string& plan,
                           const std::string& identity) {
    const std::string base = store_path + ".logs";
    path_ = base + "/" + plan;
    const auto open = [&] {
        const UniqueFd parent = open_directory(AT_FDCWD, base, base);
        return std::make_shared<const UniqueFd>(open_directory(parent.get(), plan, path_));
    };
    directory_ = open();
    const std::string owner = read_log_owner(directory_->get());
    if (owner == identity) return;
    if (!owner.empty()) {
        static_cast<void>(remove_logs(store_path, plan));
        directory_ = open();
    }
    write_owner(directory_->get(), identity);
}

std::shared_ptr<AttemptLog> LogDirectory::log_of(std::string_view stage_id, std::int32_t idx,
                                                 std::size_t limit) const {
    std::string name = log_file_name(stage_id, idx);
    std::string path = path_ + "/" + name;
    return std::make_shared<AttemptLog>(directory_, std::move(name), std::move(path), limit);
}

}  // namespace turboci
