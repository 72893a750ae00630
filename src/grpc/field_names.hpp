// SPDX-License-Identifier: Apache-2.0
// What the fields of a request are called, so that an error tells its field.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "turboci/error.hpp"

namespace turboci::rpc {

/// The one file that the Positions of a request from the wire point into; their lines are numbers of
/// FieldNames. A message that names a place says "<request>:NUMBER:1", see FieldNames::told().
inline constexpr std::string_view kRequestFile = "<request>";

/// A field of a message, below its parent. Lives on the stack while the message is read.
struct Path {
    const Path* parent = nullptr;
    const char* field = "";            ///< static text; empty: the message as a whole
    int index = -1;                    ///< of a repeated field
    mutable std::uint32_t number = 0;  ///< of FieldNames; 0: none yet

    [[nodiscard]] Path operator()(const char* below, int at = -1) const { return {this, below, at}; }
};
[[nodiscard]] std::string to_string(const Path& path);  ///< "checks[3].dependencies"

/// The names of the fields of one request. A million nodes may have several each: a name is put together when
/// it is asked for. Not thread-safe.
class FieldNames {
public:
    /// Position{0, number, 1}; numbers begin at 1.
    Position add(std::string name);
    Position add(const Path& path);
    /// Empty if there is none. Valid as long as this.
    [[nodiscard]] std::string_view name(std::uint32_t number) const;
    /// `message` with the names of fields where it names places of kRequestFile.
    [[nodiscard]] std::string told(std::string_view message) const;

private:
    struct Entry {
        const char* field;     ///< null: `index` is that of a text
        std::uint32_t parent;  ///< number; 0: none
        std::int32_t index;
    };
    [[nodiscard]] std::string build(std::uint32_t number) const;

    std::vector<Entry> entries_;
    std::vector<std::string> texts_;
    mutable std::map<std::uint32_t, std::string> built_;
};

}  // namespace turboci::rpc
