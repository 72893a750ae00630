// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include <fstream>
#include <iterator>

#include "executor_fixture.hpp"
#include "os/log_file.hpp"
#include "runner/log_tail.hpp"
#include "support/temp_dir.hpp"

using namespace turboci;
using namespace turboci::test;

namespace {

std::string content(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string numbered(int from, int to) {
    std::string text;
    for (int i = from; i < to; ++i) text += "line " + std::to_string(i) + "\n";
    return text;
}

}  // namespace

TEST_CASE("Names of stages become names of files that cannot leave their directory") {
    CHECK(log_file_name("build", 1) == "build.1.log");
    CHECK(log_file_name("a/../b", 2) == "a%2F..%2Fb.2.log");
    CHECK(log_file_name("..", 1) == "%2E..1.log");
    CHECK(log_file_name("x y%", 1) == "x%20y%25.1.log");
    CHECK(log_file_name("ü", 1) == "%C3%BC.1.log");
    const std::string a = log_file_name(std::string(256, '/'), 1);
    const std::string b = log_file_name(std::string(255, '/') + "x", 1);
    CHECK(a.size() < 200);
    CHECK(a != b);
}

TEST_CASE("Logs lie beside the store, for their owner alone, and a new one replaces an old one") {
    const TemporaryDirectory directory;
    const std::string store = (directory.path / "my.db").string();
    const LogDirectory logs(store, "p", "identity");
    for (const char* text : {"a longer first text", "second"}) {
        const auto log = logs.log_of("s", 3, 1000);
        log->write(text);
        log->finish();
        CHECK(log->path() == store + ".logs/p/s.3.log");
        CHECK(content(log->path()) == text);
        struct stat info {};
        ::stat(log->path().c_str(), &info);
        CHECK((info.st_mode & 0777) == 0600);
        ::stat((store + ".logs").c_str(), &info);
        CHECK((info.st_mode & 0777) == 0700);
    }
}

TEST_CASE("A symbolic link in the place of a log or its directory is not followed") {
    const TemporaryDirectory directory;
    const std::string store = (directory.path / "my.db").string();
    const std::string precious = (directory.path / "precious").string();
    std::ofstream(precious) << "gold";
    {
        const LogDirectory logs(store, "p", "identity");
        std::filesystem::create_symlink(precious, store + ".logs/p/s.1.log");
        const auto log = logs.log_of("s", 1, 1000);
        log->write("lead");
        log->finish();
        CHECK(content(precious) == "gold");
        CHECK(content(log->path()) == "lead");
    }
    std::filesystem::create_directory(directory.path / "elsewhere");
    std::filesystem::create_directory_symlink(directory.path / "elsewhere", store + ".logs/q");
    CHECK_THROWS_AS(LogDirectory(store, "q", "identity"), Error);
}

TEST_CASE("Of too much output the beginning and the end are kept") {
    const TemporaryDirectory directory;
    const LogDirectory logs((directory.path / "my.db").string(), "p", "identity");
    const std::string all = numbered(0, 5000);
    for (const std::size_t step : {std::size_t{1}, std::size_t{777}, std::size_t{4096}, all.size()}) {
        const auto log = logs.log_of("s", 1, 1001);
        for (std::size_t at = 0; at < all.size(); at += step)
            log->write(std::string_view(all).substr(at, step));
        log->finish();
        const std::string note = "\n... " + std::to_string(all.size() - 1001) + " bytes left out ...\n";
        CHECK(content(log->path()) == all.substr(0, 500) + note + all.substr(all.size() - 501));
    }
}

TEST_CASE("Output that just fits is kept whole") {
    const TemporaryDirectory directory;
    const LogDirectory logs((directory.path / "my.db").string(), "p", "identity");
    const auto log = logs.log_of("s", 1, 1000);
    log->write(std::string(700, 'a'));
    log->write(std::string(300, 'b'));
    log->finish();
    CHECK(content(log->path()) == std::string(700, 'a') + std::string(300, 'b'));
}

TEST_CASE("The tail is the last lines, and no more of them than are of use") {
    const TemporaryDirectory directory;
    const LogDirectory logs((directory.path / "my.db").string(), "p", "identity");
    const auto tail_of = [&](const std::string& text) {
        const auto log = logs.log_of("s", 1, 1u << 20);
        for (std::size_t at = 0; at < text.size(); at += 100)
            log->write(std::string_view(text).substr(at, 100));
        return log->tail();
    };
    CHECK(tail_of("").empty());
    CHECK(tail_of("one\ntwo") == "one\ntwo");
    CHECK(tail_of(numbered(0, 32)) == numbered(0, 32));
    CHECK(tail_of(numbered(0, 5000)) == numbered(4968, 5000));
    const std::string long_line(20'000, 'x');
    CHECK(tail_of(long_line) == long_line.substr(0, AttemptLog::kTailBytes));
    const std::string wide = std::string(5000, 'a') + "\n" + std::string(5000, 'b') + "\n";
    CHECK(tail_of(wide) == std::string(5000, 'b') + "\n");
}

TEST_CASE("A log that cannot be written remembers why and disturbs nobody") {
    AttemptLog log(UniqueFd(::open("/dev/full", O_RDWR | O_CLOEXEC)), "/dev/full", 1000);
    log.write("text\n");
    log.finish();
    CHECK(log.error() == ENOSPC);
    CHECK(log.tail() == "text\n");
}

TEST_CASE("The file of a log is made when it is asked for, written, or finished") {
    const TemporaryDirectory directory;
    const std::string store = (directory.path / "my.db").string();
    const LogDirectory logs(store, "p", "identity");
    const auto made = logs.log_of("made", 1, 1000);
    const auto written = logs.log_of("written", 1, 1000);
    const auto silent = logs.log_of("silent", 1, 1000);
    CHECK_FALSE(std::filesystem::exists(made->path()));
    CHECK_FALSE(std::filesystem::exists(written->path()));
    made->make();
    CHECK(content(made->path()).empty());
    written->write("x");
    CHECK(content(written->path()) == "x");
    silent->finish();
    CHECK(std::filesystem::exists(silent->path()));
    const auto lost = logs.log_of("lost", 1, 1000);
    std::filesystem::remove_all(store + ".logs");
    lost->write("text\n");
    lost->finish();
    CHECK(lost->error() == ENOENT);
    CHECK(lost->tail() == "text\n");
}

TEST_CASE("logs of another plan that had the same id are removed, those of the plan itself stay") {
    const TemporaryDirectory directory;
    const std::string store = (directory.path / "my.db").string();
    LogDirectory(store, "p", "first").log_of("s", 1, 1024)->make();
    LogDirectory(store, "p", "first").log_of("t", 1, 1024)->make();
    const auto logs = directory.path / "my.db.logs" / "p";
    CHECK(std::filesystem::exists(logs / "s.1.log"));
    CHECK(std::filesystem::exists(logs / "t.1.log"));
    LogDirectory(store, "p", "second").log_of("t", 1, 1024)->make();
    CHECK_FALSE(std::filesystem::exists(logs / "s.1.log"));
    CHECK(std::filesystem::exists(logs / "t.1.log"));
    CHECK(remove_logs(store, "p"));
    CHECK_FALSE(std::filesystem::exists(directory.path / "my.db.logs"));
    CHECK(remove_logs(store, "p"));
}

TEST_CASE("A log is read only in the store's own directory of logs") {
    const TempDir dir;
    const std::string store = dir / "a.db";
    std::filesystem::create_directories(dir / "a.db.logs/p");
    write_file(dir / "a.db.logs/p/s.1.log", "one\ntwo\n");
    write_file(dir / "secret", "secret\n");
    std::filesystem::create_symlink(dir / "secret", dir / "a.db.logs/p/link");
    const OpenOutput files = log_files_of(store);
    const auto text_of = [&](const std::string& path) {
        OutputFileName name;
        name.path = path;
        const auto file = files(name);
        return file ? file->read(0, 100) : std::string();
    };
    CHECK(text_of("a.db.logs/p/s.1.log") == "one\ntwo\n");
    for (const char* elsewhere :
         {"secret", "/etc/hostname", "a.db.logs/../secret", "a.db.logs/p/../../secret", "a.db.logs/p/link",
          "a.db.logs/p", "a.db.logs/p/none", "../x.logs/y", ""}) {
        CHECK(text_of(elsewhere).empty());
    }
    write_file(dir / "a.db.logs/p/long", std::string(20'000, 'a') + "\n");
    OutputFileName name;
    name.path = "a.db.logs/p/long";
    CHECK(files(name)->size() == 20'001);
    CHECK(files(name)->read(20'000, 100) == "\n");
}
