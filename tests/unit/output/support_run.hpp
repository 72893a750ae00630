// SPDX-License-Identifier: Apache-2.0
// Runs another program on some text; for tests that ask the real reader of a format.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <unistd.h>

namespace turboci::samples {

struct RunOutput {
    int status = -1;
    std::string out;
    std::string err;
};

inline std::string slurp(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// `command` goes to the shell as it is: constants only.
inline RunOutput run_with_input(const std::string& command, const std::string& input) {
    std::string pattern = (std::filesystem::temp_directory_path() / "turboci-output-XXXXXX").string();
    const std::filesystem::path dir = mkdtemp(pattern.data());
    std::ofstream(dir / "in", std::ios::binary) << input;
    const std::string line = "(" + command + ") <'" + (dir / "in").string() + "' >'" +
                             (dir / "out").string() + "' 2>'" + (dir / "err").string() + "'";
    RunOutput done;
    done.status = std::system(line.c_str());
    done.out = slurp(dir / "out");
    done.err = slurp(dir / "err");
    std::filesystem::remove_all(dir);
    return done;
}

inline bool can_run(const std::string& command) { return run_with_input(command, {}).status == 0; }

}  // namespace turboci::samples
