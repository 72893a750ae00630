// SPDX-License-Identifier: Apache-2.0
#include "os/log_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "os/files.hpp"
#include "turboci/error.hpp"

namespace turboci {

namespace {

constexpr std::size_t kLongestNameBytes = 160;

/// FNV-1a, 64 bits.
std::uint64_t hash_of(std::string_view text) {
    std::uint64_t hash = 14695981039346656037U;
    for (const char c : text) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 1099511628211U;
    }
    return hash;
}

bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

/// "STORE.logs/PLAN/NAME" in its three parts; nullopt for anything else.
std::optional<std::array<std::string, 3>> parts_of(std::string_view path) {
    std::array<std::string, 3> parts;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const std::size_t slash = path.find('/');
        const bool is_last = i + 1 == parts.size();
        if ((slash == std::string_view::npos) != is_last) return std::nullopt;
        const std::string_view part = path.substr(0, slash);
        if (part.empty() || part == "." || part == ".." || part.find('\0') != std::string_view::npos)
            return std::nullopt;
        parts[i] = part;
        if (!is_last) path.remove_prefix(slash + 1);
    }
    return parts;
}

/// Of an attempt that runs; the store has it when the attempt has ended. Empty: there are no logs of this
/// plan.
std::string running_log_path(const std::string& store_path, const OutputFileName& name) {
    const std::string directory = store_path + ".logs/" + name.plan;
    const UniqueFd opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!opened || read_log_owner(opened.get()) != name.plan_identity) return {};
    return relative_log_path(directory + "/" + log_file_name(name.stage, name.idx));
}

}  // namespace

std::string log_file_name(std::string_view stage_id, std::int32_t idx) {
    std::string name;
    for (const char c : stage_id) {
        // A leading dot would hide the file.
        if (is_plain(c) && !(c == '.' && name.empty())) {
            name += c;
        } else {
            name += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    // "~" is never part of an escaped name, so a cut one cannot be mistaken for another stage's.
    if (name.size() > kLongestNameBytes)
        name = fmt::format("{}~{:016x}", name.substr(0, 120), hash_of(stage_id));
    return fmt::format("{}.{}.log", name, idx);
}

std::string relative_log_path(const std::string& path) {
    std::size_t at = path.size();
    for (int part = 0; part < 3 && at != std::string::npos && at > 0; ++part) at = path.rfind('/', at - 1);
    return at == std::string::npos ? path : path.substr(at + 1);
}

std::string read_log_owner(int directory) {
    const UniqueFd file(::openat(directory, kLogOwnerFile, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    std::array<char, 64> text{};
    const ssize_t n = file ? ::read(file.get(), text.data(), text.size()) : 0;
    return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(n, 0))};
}

std::unique_ptr<LogFile> LogFile::open(const std::string& store_path, std::string_view log_path) {
    const auto parts = parts_of(log_path);
    const std::size_t slash = store_path.rfind('/');
    const std::string name = slash == std::string::npos ? store_path : store_path.substr(slash + 1);
    if (!parts || (*parts)[0] != name + ".logs") return nullptr;
    constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    // The store's own directory is as the user named it.
    const UniqueFd logs(::open((store_path + ".logs").c_str(), kDirectory));
    if (!logs) return nullptr;
    const UniqueFd plan(::openat(logs.get(), (*parts)[1].c_str(), kDirectory));
    if (!plan) return nullptr;
    UniqueFd file(::openat(plan.get(), (*parts)[2].c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat info {};
    if (!file || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) return nullptr;
    return std::unique_ptr<LogFile>(new LogFile(std::move(file)));
}

std::int64_t LogFile::size() const {
    struct stat info {};
    return ::fstat(file_.get(), &info) == 0 ? info.st_size : 0;
}

std::string LogFile::read(std::int64_t offset, std::size_t limit) const {
    std::string bytes(limit, '\0');
    std::size_t got = 0;
    while (got < bytes.size()) {
        const ssize_t n = ::pread(file_.get(), bytes.data() + got, bytes.size() - got,
                                  static_cast<off_t>(offset) + static_cast<off_t>(got));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) throw Error(ErrorCode::store, "a log cannot be read: " + errno_text(errno));
        if (n == 0) break;
        got += static_cast<std::size_t>(n);
    }
    bytes.resize(got);
    return bytes;
}

OpenOutput log_files_of(std::string store_path) {
    return [path = std::move(store_path)](const OutputFileName& name) -> std::unique_ptr<OutputFile> {
        const std::string log = name.path.empty() ? running_log_path(path, name) : name.path;
        return log.empty() ? nullptr : LogFile::open(path, log);
    };
}

}  // namespace turboci
