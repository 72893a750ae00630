// SPDX-License-Identifier: Apache-2.0
// The least that a server over gRPC takes: answers each call with what it was sent, at once, or once it lies
// durably in a database, what waits together in one transaction: rpc_server PORT [DATABASE]. Ends with
// SIGTERM.
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <csignal>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "sqlite.hpp"

namespace {

class Call final : public grpc::ServerGenericBidiReactor {
public:
    /// Gets the call once its message is there; answers it at some time.
    class Next {
    public:
        virtual void take(Call& call) = 0;

    protected:
        ~Next() = default;
    };

    explicit Call(Next& next) : next_(next) { StartRead(&message_); }

    void answer() { StartWriteAndFinish(&message_, grpc::WriteOptions(), grpc::Status::OK); }
    std::string text() const {
        std::vector<grpc::Slice> slices;
        std::string joined;
        if (message_.Dump(&slices).ok())
            for (const grpc::Slice& slice : slices)
                joined.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
        return joined;
    }

    void OnReadDone(bool ok) override {
        if (ok)
            next_.take(*this);
        else
            Finish(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "no message"));
    }
    void OnDone() override { delete this; }

private:
    Next& next_;
    grpc::ByteBuffer message_;
};

class Echo final : public Call::Next {
public:
    void take(Call& call) override { call.answer(); }
};

/// Commits what waits, again and again.
class Writer final : public Call::Next {
public:
    explicit Writer(const char* path) : db_(floors::open_durably(path)) {
        floors::run(db_, "CREATE TABLE IF NOT EXISTS message(key INTEGER PRIMARY KEY, body BLOB NOT NULL)");
        insert_ = floors::prepare(db_, "INSERT INTO message(body) VALUES(?1)");
    }

    void take(Call& call) override {
        {
            const std::scoped_lock lock(mutex_);
            waiting_.push_back(&call);
        }
        changed_.notify_one();
    }

    void work() {
        for (;;) {
            std::vector<Call*> batch;
            {
                std::unique_lock lock(mutex_);
                changed_.wait(lock, [&] { return !waiting_.empty(); });
                batch.swap(waiting_);
            }
            floors::run(db_, "BEGIN IMMEDIATE");
            for (const Call* call : batch) put(call->text());
            floors::run(db_, "COMMIT");
            for (Call* call : batch) call->answer();
        }
    }

private:
    void put(const std::string& body) {
        sqlite3_bind_blob(insert_, 1, body.data(), static_cast<int>(body.size()), SQLITE_STATIC);
        floors::require(sqlite3_step(insert_) == SQLITE_DONE, db_, "writing");
        sqlite3_reset(insert_);
    }

    sqlite3* db_;
    sqlite3_stmt* insert_ = nullptr;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Call*> waiting_;
};

class Service final : public grpc::CallbackGenericService {
public:
    explicit Service(Call::Next& next) : next_(next) {}
    grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override {
        return new Call(next_);
    }

private:
    Call::Next& next_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2 && argc != 3) {
        std::fputs("usage: rpc_server PORT [DATABASE]\n", stderr);
        return 2;
    }
    Echo echo;
    std::optional<Writer> writer;
    if (argc == 3) std::thread(&Writer::work, &writer.emplace(argv[2])).detach();
    Service service(writer ? static_cast<Call::Next&>(*writer) : echo);
    grpc::ServerBuilder builder;
    builder.AddListeningPort(std::string("127.0.0.1:") + argv[1], grpc::InsecureServerCredentials());
    builder.RegisterCallbackGenericService(&service);
    const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
    if (!server) return 1;
    server->Wait();  // for ever: a signal ends the process
}
