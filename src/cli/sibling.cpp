// SPDX-License-Identifier: Apache-2.0
#include "cli/sibling.hpp"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "turboci/error.hpp"

namespace turboci::cli {

namespace {

struct Sibling {
    std::string_view scheme;  ///< as the URL of a store begins
    std::string_view program;
    std::string_view needs;
};
constexpr std::array kSiblings{
    Sibling{"postgresql://", "turboci-postgresql", "PostgreSQL"},
    Sibling{"postgres://", "turboci-postgresql", "PostgreSQL"}, Sibling{"grpc://", "turboci-grpc", "gRPC"},
    Sibling{"grpcs://", "turboci-grpc", "gRPC"}, Sibling{"grpc+unix://", "turboci-grpc", "gRPC"}};

/// The store that the arguments name, else the environment. What they mean is for the program itself to say.
std::string store_of(const std::vector<std::string>& arguments) {
    constexpr std::string_view kLong = "--store=";
    std::string store;
    if (const char* const value = std::getenv("TURBOCI_STORE")) store = value;
    for (std::size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
        const std::string& word = arguments[i];
        if (word.starts_with(kLong))
            store = word.substr(kLong.size());
        else if ((word == "--store" || word == "-s") && i + 1 < arguments.size())
            store = arguments[++i];
        else if (word.starts_with("-s") && word.size() > 2)
            store = word.substr(2);
    }
    return store;
}

}  // namespace

void become_sibling(const std::vector<std::string>& arguments, char** argv) {
    const std::string store = store_of(arguments);
    for (const Sibling& sibling : kSiblings) {
        if (!store.starts_with(sibling.scheme)) continue;
        std::error_code error;
        const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
        for (const std::filesystem::path folder : {"libexec/turboci", "../libexec/turboci", "."}) {
            const auto program = self.parent_path() / folder / sibling.program;
            ::execv(program.c_str(), argv);
        }
        throw Error(ErrorCode::usage, "this turboci was built without " + std::string(sibling.needs),
                    "install " + std::string(sibling.program) + " beside it");
    }
}

}  // namespace turboci::cli
