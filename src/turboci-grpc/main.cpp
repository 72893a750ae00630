// SPDX-License-Identifier: Apache-2.0
// turboci-grpc: the command line on a server. turboci becomes it where a store is grpc://...
#include <algorithm>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "cli/app.hpp"
#include "grpc/remote.hpp"
#include "os/memory.hpp"
#include "os/settings.hpp"

namespace {

/// The file that a variable names; empty if it is not set.
std::string file_named_by(const char* variable) {
    const std::string path = turboci::environment_variable(variable);
    return path.empty() ? std::string() : turboci::read_named_file(path);
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
    options.attempt_token = turboci::environment_variable("TURBOCI_TOKEN");
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
