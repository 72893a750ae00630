// SPDX-License-Identifier: Apache-2.0
#include "cli/binary.hpp"

#include <fcntl.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "support/catch.hpp"

extern char** environ;

namespace turboci::test {

namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> list;
    for (auto& text : texts) list.push_back(text.data());
    list.push_back(nullptr);
    return list;
}

int status_of(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/// The binary under test: that of this build, unless TURBOCI_BINARY_UNDER_TEST names another.
std::string binary_path() {
    const char* other = std::getenv("TURBOCI_BINARY_UNDER_TEST");
    return other != nullptr ? other : TURBOCI_BINARY;
}

}  // namespace

std::string read_all(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

Binary::Binary() {
    std::string name = (std::filesystem::temp_directory_path() / "turboci-cli-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    directory_ = name;
    environment = {{"USER", "tester"}, {"LC_ALL", "C"}};
    store_ = path("plan.db");
    if (const char* const maker = std::getenv("TURBOCI_NEW_STORE")) {
        const std::string url = path(".store-url");
        REQUIRE(std::system(("'" + std::string(maker) + "' '" + directory_ + "' > '" + url + "'").c_str()) ==
                0);
        store_ = read_all(url);
        store_.erase(store_.find_last_not_of('\n') + 1);
    }
}

Binary::~Binary() {
    if (const char* const ender = std::getenv("TURBOCI_DROP_STORE"))
        static_cast<void>(std::system(("'" + std::string(ender) + "' '" + directory_ + "'").c_str()));
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

std::vector<std::string> Binary::full_environment() const {
    std::vector<std::string> all;
    for (char** variable = environ; *variable != nullptr; ++variable) {
        const std::string text = *variable;
        const std::string name = text.substr(0, text.find('='));
        const bool own = name.rfind("TURBOCI_", 0) == 0 || name == "COLUMNS" || name == "LANG" ||
                         name.find("COLOR") != std::string::npos;
        if (!own && environment.count(name) == 0) all.push_back(text);
    }
    if (environment.count("TURBOCI_STORE") == 0) all.push_back("TURBOCI_STORE=" + store_);
    for (const auto& [name, value] : environment) all.push_back(name + "=" + value);
    return all;
}

Ran Binary::execute(const std::string& program, const std::vector<std::string>& arguments,
                    const std::string& input) const {
    const std::string in = file(".stdin", input);
    std::vector<std::string> argv{program};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    std::vector<std::string> env = full_environment();
    const auto argv_pointers = pointers(argv);
    const auto env_pointers = pointers(env);
    const std::string out = path(".stdout"), err = path(".stderr");
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        const int flags = O_WRONLY | O_CREAT | O_TRUNC;
        if (::chdir(directory_.c_str()) != 0) ::_exit(126);
        ::dup2(::open(in.c_str(), O_RDONLY | O_CLOEXEC), 0);
        ::dup2(::open(out.c_str(), flags | O_CLOEXEC, 0600), 1);
        ::dup2(::open(err.c_str(), flags | O_CLOEXEC, 0600), 2);
        ::execve(program.c_str(), argv_pointers.data(), env_pointers.data());
        ::_exit(127);
    }
    Ran ran;
    ran.code = status_of(child);
    ran.out = read_all(out);
    ran.err = read_all(err);
    return ran;
}

Ran Binary::run(const std::vector<std::string>& arguments, const std::string& input) const {
    return execute(binary_path(), arguments, input);
}

std::string Binary::ok(const std::vector<std::string>& arguments, const std::string& input) const {
    const Ran ran = run(arguments, input);
    std::string line;
    for (const auto& a : arguments) line += " " + a;
    INFO("turboci" << line << "\nstdout: " << ran.out << "\nstderr: " << ran.err);
    REQUIRE(ran.code == 0);
    return ran.out;
}

Ran Binary::shell(const std::string& script) const {
    return execute("/bin/sh", {"-c", "T='" + binary_path() + "'\n" + script}, "");
}

Ran Binary::on_terminal(const std::vector<std::string>& arguments, const std::string& typed) const {
    const std::string program = binary_path();
    std::vector<std::string> argv{program};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    std::vector<std::string> env = full_environment();
    const auto argv_pointers = pointers(argv);
    const auto env_pointers = pointers(env);
    winsize size{};
    size.ws_col = 60;
    size.ws_row = 24;
    int master = -1;
    const pid_t child = ::forkpty(&master, nullptr, nullptr, &size);
    REQUIRE(child >= 0);
    if (child == 0) {
        if (::chdir(directory_.c_str()) != 0) ::_exit(126);
        ::execve(program.c_str(), argv_pointers.data(), env_pointers.data());
        ::_exit(127);
    }
    if (!typed.empty()) REQUIRE(::write(master, typed.data(), typed.size()) > 0);
    Ran ran;
    char buffer[4096];
    ssize_t n = 0;
    while ((n = ::read(master, buffer, sizeof buffer)) > 0)
        ran.out.append(buffer, static_cast<std::size_t>(n));
    ::close(master);
    ran.code = status_of(child);
    return ran;
}

std::string Binary::file(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
}

}  // namespace turboci::test
