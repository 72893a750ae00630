// SPDX-License-Identifier: Apache-2.0
// turboci-grpc: the command line on a server. turboci becomes it where a store is grpc://...
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "cli/app.hpp"
#include "grpc/remote.hpp"
#include "os/memory.hpp"
#include "turboci/error.hpp"

namespace {

std::string environment(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string() : value;
}

/// The file that a variable names; empty if it is not set.
std::string file_named_by(const char* variable) {
    const std::string path = environment(variable);
    if (path.empty()) return {};
    std::ifstream file(path);
    std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (!file && text.empty())
        throw turboci::Error(turboci::ErrorCode::usage,
                             std::string(variable) + ": the file " + path + " cannot be read");
    return text;
}

/// The first word of a file that holds a token.
std::string token_in(const std::string& text) {
    const std::size_t begin = std::min(text.find_first_not_of(" \t\r\n"), text.size());
    return text.substr(begin, std::min(text.find_first_of(" \t\r\n", begin), text.size()) - begin);
}

std::unique_ptr<turboci::Service> open(const std::string& url, const turboci::Wait& wait) {
    turboci::rpc::RemoteOptions options;
    options.url = url;
    options.wait = wait;
    options.bearer_token = token_in(file_named_by("TURBOCI_AUTH_FILE"));
    options.root_certificates = file_named_by("TURBOCI_CA");
    options.client_certificate = file_named_by("TURBOCI_CERT");
    options.client_key = file_named_by("TURBOCI_CERT_KEY");
    options.attempt_token = environment("TURBOCI_TOKEN");
    return turboci::rpc::make_remote_service(std::move(options));
}

}  // namespace

int main(int argc, char** argv) {
    turboci::keep_freed_memory();
    turboci::cli::open_standard_descriptors();
    // A closed pipe and a full disk quota are errors to report, not reasons to die.
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
    turboci::cli::set_remote_stores({turboci::rpc::is_server_url, open});
    return turboci::cli::run_command_line(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
}
