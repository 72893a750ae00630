// SPDX-License-Identifier: Apache-2.0
#include "os/settings.hpp"

#include <fmt/core.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "os/files.hpp"
#include "turboci/error.hpp"

namespace turboci {

std::string environment_variable(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string() : value;
}

std::string read_named_file(const std::string& path) {
    std::ifstream file(path);
    std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (!file && text.empty())
        throw Error(ErrorCode::store, fmt::format("{} cannot be read: {}", path, errno_text(errno)));
    if (text.empty()) throw Error(ErrorCode::store, fmt::format("{} is empty", path));
    return text;
}

}  // namespace turboci
