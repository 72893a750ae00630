// SPDX-License-Identifier: Apache-2.0
// A forked process for tests of what happens between processes.
#pragma once

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>

namespace turboci::test {

class Child {
public:
    /// Runs `body` in a new process. Its answer, or the text of what it threw after "threw: ", is what wait()
    /// returns. body gets a function that makes the parent's await() return.
    using Body = std::function<std::string(const std::function<void()>& ready)>;
    explicit Child(const Body& body) {
        if (::pipe(ready_.data()) != 0 || ::pipe(answer_.data()) != 0) throw std::runtime_error("pipe");
        pid_ = ::fork();
        if (pid_ < 0) throw std::runtime_error("fork");
        if (pid_ == 0) run(body);
        ::close(ready_[1]);
        ::close(answer_[1]);
    }
    ~Child() {
        if (pid_ > 0) kill();
        ::close(ready_[0]);
        ::close(answer_[0]);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    [[nodiscard]] pid_t pid() const { return pid_; }
    /// Until the child says that it is ready; false if it ended without.
    [[nodiscard]] bool await() {
        char c = 0;
        return ::read(ready_[0], &c, 1) == 1;
    }
    void kill() {
        ::kill(pid_, SIGKILL);
        reap();
    }
    std::string wait() {
        std::string text;
        std::array<char, 512> buffer{};
        for (ssize_t n = 0; (n = ::read(answer_[0], buffer.data(), buffer.size())) > 0;)
            text.append(buffer.data(), static_cast<std::size_t>(n));
        reap();
        return text;
    }

private:
    [[noreturn]] void run(const Body& body) {
        ::close(ready_[0]);
        ::close(answer_[0]);
        std::string text;
        try {
            text = body([this] { static_cast<void>(::write(ready_[1], "r", 1) == 1); });
        } catch (const std::exception& e) {
            text = std::string("threw: ") + e.what();
        }
        const ssize_t n = ::write(answer_[1], text.data(), text.size());
        ::_exit(n == static_cast<ssize_t>(text.size()) ? 0 : 1);
    }
    void reap() {
        if (pid_ <= 0) return;
        ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }

    std::array<int, 2> ready_{}, answer_{};
    pid_t pid_ = -1;
};

/// Runs `body` in a new process as a user without privileges; what it answers, or threw.
inline std::string as_nobody(const std::function<std::string()>& body) {
    Child child([&](const std::function<void()>&) -> std::string {
        constexpr uid_t kNobody = 65534;
        if (::getuid() == 0 && (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0))
            return "cannot become nobody";
        return body();
    });
    return child.wait();
}

}  // namespace turboci::test
