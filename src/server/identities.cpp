// SPDX-License-Identifier: Apache-2.0
#include "server/identities.hpp"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <utility>

#include "os/files.hpp"
#include "os/settings.hpp"
#include "turboci/error.hpp"

namespace turboci::server {

namespace {

constexpr std::size_t kLeastTokenBytes = 16;
constexpr std::array<std::pair<std::string_view, std::uint8_t>, 5> kScopes{{
    {"read", bits(Scope::read)},
    {"write", bits(Scope::write) | bits(Scope::read)},
    {"work", bits(Scope::work) | bits(Scope::read)},
    {"admin", bits(Scope::admin) | bits(Scope::read)},
    {"actor", bits(Scope::actor)},
}};

Error bad_line(const std::string& file, std::uint32_t line, const std::string& what) {
    return {ErrorCode::invalid_argument, fmt::format("{}:{}: {}", file, line, what),
            "write NAME SCOPE[,SCOPE] TOKEN in each line"};
}

/// Takes the first word off `text`; empty at the end.
std::string_view next_word(std::string_view& text) {
    constexpr std::string_view kBlanks = " \t\r";
    text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
    const std::size_t end = std::min(text.find_first_of(kBlanks), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(end);
    return word;
}

std::optional<std::uint8_t> parse_scopes(std::string_view text) {
    std::uint8_t scopes = 0;
    while (true) {
        const std::size_t comma = std::min(text.find(','), text.size());
        const auto known = std::ranges::find(kScopes, text.substr(0, comma),
                                             &std::pair<std::string_view, std::uint8_t>::first);
        if (known == kScopes.end()) return std::nullopt;
        scopes |= known->second;
        if (comma == text.size()) return scopes;
        text.remove_prefix(comma + 1);
    }
}

}  // namespace

Identities Identities::parse(std::string_view text, const std::string& file) {
    Identities result;
    for (std::uint32_t line = 1; !text.empty(); ++line) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view rest = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const std::string_view name = next_word(rest);
        if (name.empty() || name.starts_with('#')) continue;
        const std::string_view scopes = next_word(rest), token = next_word(rest);
        if (token.empty() || !next_word(rest).empty()) throw bad_line(file, line, "a line has three words");
        const auto bits = parse_scopes(scopes);
        if (!bits) throw bad_line(file, line, "the scopes are read, write, work, admin and actor");
        if (token.size() < kLeastTokenBytes)
            throw bad_line(file, line, fmt::format("the token is shorter than {} bytes", kLeastTokenBytes));
        if (result.find(token)) throw bad_line(file, line, "the token is that of an earlier line");
        result.entries_.push_back({{std::string(name), *bits}, std::string(token)});
    }
    return result;
}

Identities Identities::read(const std::string& path) {
    const std::string text = read_named_file(path);
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0)
        throw Error(ErrorCode::store, fmt::format("{} cannot be read: {}", path, errno_text(errno)));
    if ((status.st_mode & (S_IROTH | S_IWOTH)) != 0)
        throw Error(ErrorCode::invalid_argument, fmt::format("everybody may read the token file {}", path),
                    "chmod it to 0600 or 0640");
    return parse(text, path);
}

std::optional<Identity> Identities::find(std::string_view token) const {
    std::optional<Identity> found;
    for (const Entry& entry : entries_)
        if (equal_in_constant_time(entry.token, token)) found = entry.identity;
    return found;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept {
    // The length is no secret.
    if (a.size() != b.size()) return false;
    unsigned char differences = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        differences = static_cast<unsigned char>(
            differences | (static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i])));
    return differences == 0;
}

}  // namespace turboci::server
