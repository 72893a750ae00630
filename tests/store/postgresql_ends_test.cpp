// SPDX-License-Identifier: Apache-2.0
// Connections that are lost: while nobody uses them, within a write, and while a commit is on its way.
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <thread>

#include "os/unique_fd.hpp"
#include "store/openers.hpp"
#include "store/postgresql_database.hpp"
#include "store/samples.hpp"

using namespace turboci;
using namespace turboci::test;
using Catch::Matchers::Contains;

namespace {

/// What becomes of the next thing that a client says.
enum class Cut { nothing, question, answer };

sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    return address;
}

/// Stands between one client and the server, and cuts the connection once it is told to.
class Proxy {
public:
    Proxy(const std::string& directory, const std::string& server) : server_(server) {
        const sockaddr_un own = address_of(directory + "/.s.PGSQL.5432");
        listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        REQUIRE(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0);
        REQUIRE(::listen(listener_.get(), 5) == 0);
        thread_ = std::thread([this] { serve(); });
    }
    ~Proxy() {
        ends_ = true;
        thread_.join();
    }
    std::atomic<Cut> cut = Cut::nothing;

private:
    void serve() {
        while (!ends_) {
            pollfd wanted{listener_.get(), POLLIN, 0};
            if (::poll(&wanted, 1, 20) != 1) continue;
            const UniqueFd client(::accept(listener_.get(), nullptr, nullptr));
            const UniqueFd server(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
            const sockaddr_un address = address_of(server_);
            if (::connect(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
                pass_on(client.get(), server.get());
        }
    }
    void pass_on(int client, int server) {
        std::array<pollfd, 2> ends{pollfd{client, POLLIN, 0}, pollfd{server, POLLIN, 0}};
        while (!ends_) {
            if (::poll(ends.data(), ends.size(), 20) < 1) continue;
            for (std::size_t i = 0; i < ends.size(); ++i) {
                if (ends[i].revents == 0) continue;
                if (cut == (i == 0 ? Cut::question : Cut::answer)) {
                    cut = Cut::nothing;
                    return;
                }
                std::array<char, 1 << 16> buffer;
                const ssize_t size = ::read(ends[i].fd, buffer.data(), buffer.size());
                if (size <= 0 ||
                    ::write(ends[1 - i].fd, buffer.data(), static_cast<std::size_t>(size)) != size)
                    return;
            }
        }
    }

    std::string server_;
    UniqueFd listener_;
    std::thread thread_;
    std::atomic<bool> ends_ = false;
};

/// `url` with another directory for the server's socket.
std::string through(std::string url, const std::string& directory, std::string* before = nullptr) {
    const std::size_t begin = url.find("host=") + 5, end = url.find('&', begin);
    if (before != nullptr) *before = url.substr(begin, end - begin);
    return url.replace(begin, end - begin, directory);
}

struct Behind : Fixture {
    Behind() {
        std::string server;
        const std::string url = through(backend_url(path()), dir().path(), &server);
        proxy = std::make_unique<Proxy>(dir().path(), server + "/.s.PGSQL.5432");
        far = open_postgresql_store(url, {.command = "far", .clock = &clock});
    }
    /// A write of version 2.
    void write_second(Transaction& transaction) {
        PlanRow row = transaction.find_plan("p").value();
        row.version = 2;
        change(transaction, plan(), [&](ChangeSet& c) {
            c.plan_row = row;
            c.write = WriteRow{plan(), 2, at(2), "me", "why", ""};
        });
    }
    std::unique_ptr<Proxy> proxy;
    std::unique_ptr<Store> far;
};

}  // namespace

TEST_CASE("a commit whose answer is lost is found to be written") {
    Behind f;
    auto transaction = f.far->write("p", {});
    f.write_second(*transaction);
    f.proxy->cut = Cut::answer;
    CHECK_NOTHROW(transaction->commit());
    transaction.reset();
    CHECK(f.read()->find_plan("p")->version == 2);
    CHECK(f.far->read({})->find_plan("p")->version == 2);
}

TEST_CASE("a commit that did not reach the server is told to be not written") {
    Behind f;
    auto transaction = f.far->write("p", {});
    f.write_second(*transaction);
    f.proxy->cut = Cut::question;
    CHECK_THAT(message_of([&] { transaction->commit(); }),
               Contains("connection was lost") && Contains("nothing was written; run the command again"));
    transaction.reset();
    CHECK(f.read()->find_plan("p")->version == 1);
    CHECK(f.far->write("p", {})->find_plan("p")->version == 1);
}

TEST_CASE("where the server does not come back, nobody knows what became of a commit") {
    Behind f;
    auto transaction = f.far->write("p", {.at_most = std::chrono::milliseconds(200)});
    f.write_second(*transaction);
    f.proxy->cut = Cut::answer;
    std::filesystem::remove(f.dir() / ".s.PGSQL.5432");
    CHECK_THAT(message_of([&] { transaction->commit(); }), Contains("whether it was written is not known"));
}

TEST_CASE("a connection that was ended while nobody used it is made again") {
    Fixture f;
    const std::string url = backend_url(f.path());
    sql(url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        " AND datname = current_database()");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    CHECK(f.read()->find_plan("p"));
}

TEST_CASE("a connection that is ended within a write leaves nothing behind, and the store goes on") {
    Fixture f;
    const std::string url = backend_url(f.path());
    {
        auto transaction = f.write();
        static_cast<void>(f.add(*transaction, NodeType::check, "a"));
        sql(url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND datname = current_database()");
        CHECK(code_of([&] { static_cast<void>(counts(*transaction, f.plan())); }) == ErrorCode::store);
    }
    const auto reader = f.read();
    CHECK_FALSE(find_node(*reader, f.plan(), NodeType::check, "a"));
}
