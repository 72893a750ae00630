// SPDX-License-Identifier: Apache-2.0
// Who may call a server, and what they may do: bearer tokens that are kept in a file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace turboci::server {

/// What a caller may do. A set of bits.
enum class Scope : std::uint8_t {
    none = 0,
    read = 1,
    write = 2,   ///< and read
    work = 4,    ///< claim attempts and speak for them
    admin = 8,   ///< the store itself: check, back up, prune
    actor = 16,  ///< may say in whose name it writes
};
[[nodiscard]] constexpr std::uint8_t bits(Scope scope) noexcept { return static_cast<std::uint8_t>(scope); }

/// A caller.
struct Identity {
    std::string name;
    std::uint8_t scopes = 0;
    [[nodiscard]] bool may(Scope scope) const noexcept { return (scopes & bits(scope)) != 0; }
};
inline constexpr std::uint8_t kAllScopes = 31;

/// The tokens of a file, a line each: `NAME SCOPE[,SCOPE] TOKEN`, scopes being read, write, work, admin and
/// actor; empty lines and those that begin with # say nothing.
class Identities {
public:
    /// INVALID_ARGUMENT with the line. A token is 16 bytes or more, so that it cannot be guessed.
    static Identities parse(std::string_view text, const std::string& file);
    /// STORE if it cannot be read, INVALID_ARGUMENT if others than its owner may.
    static Identities read(const std::string& path);
    /// Whose token it is; nullopt: nobody's. Takes the same time for each that is wrong.
    [[nodiscard]] std::optional<Identity> find(std::string_view token) const;
    [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }

private:
    struct Entry {
        Identity identity;
        std::string token;
    };
    std::vector<Entry> entries_;
};

/// Are both the same? Takes the same time wherever they differ.
[[nodiscard]] bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;

}  // namespace turboci::server
