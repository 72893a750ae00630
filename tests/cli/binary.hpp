// SPDX-License-Identifier: Apache-2.0
// Runs the turboci binary as a user's script would.
#pragma once

#include <sys/types.h>
#include <map>
#include <string>
#include <vector>

namespace turboci::test {

/// What one run of the binary came to.
struct Ran {
    int code = -1;  ///< exit status; 128 + n when it died of signal n
    std::string out;
    std::string err;
};

/// An empty directory with a store to be in it, and the binary. No TURBOCI_ variable is inherited.
/// TURBOCI_NEW_STORE names a program that makes a store of another kind: it is given the directory and prints
/// the store's URL; TURBOCI_DROP_STORE one that ends it. Cases with the tag [file] are about the file alone.
class Binary {
public:
    Binary();
    ~Binary();
    Binary(const Binary&) = delete;
    Binary& operator=(const Binary&) = delete;

    /// Variables for the runs that follow, beside TURBOCI_STORE.
    std::map<std::string, std::string> environment;

    [[nodiscard]] Ran run(const std::vector<std::string>& arguments, const std::string& input = {}) const;
    /// run() that must succeed; its standard output.
    std::string ok(const std::vector<std::string>& arguments, const std::string& input = {}) const;
    /// Through /bin/sh, with the binary as "$T".
    [[nodiscard]] Ran shell(const std::string& script) const;
    /// With a terminal of 60 columns as standard input, output and error; what it showed, and the status.
    /// `typed` is what somebody types there.
    [[nodiscard]] Ran on_terminal(const std::vector<std::string>& arguments,
                                  const std::string& typed = {}) const;

    /// Writes a file into the directory and returns its path.
    std::string file(const std::string& name, const std::string& text) const;
    /// The store is a file, and no server.
    [[nodiscard]] bool has_file() const { return store_ == path("plan.db"); }
    [[nodiscard]] std::string path(const std::string& name) const { return directory_ + "/" + name; }

private:
    [[nodiscard]] std::vector<std::string> full_environment() const;
    [[nodiscard]] Ran execute(const std::string& program, const std::vector<std::string>& arguments,
                              const std::string& input) const;

    std::string directory_;
    std::string store_;
};

[[nodiscard]] std::string read_all(const std::string& path);
[[nodiscard]] bool contains(const std::string& text, const std::string& part);

}  // namespace turboci::test
