// SPDX-License-Identifier: Apache-2.0
// What calls to a server over gRPC take, for turbocid and for a server that answers anything:
//   rpc_client PORT read PLAN COUNT                  GetWorkPlan, one after the other
//   rpc_client PORT finish PLAN PREFIX FIRST COUNT   checks PREFIXn made FINAL, one after the other
//   rpc_client PORT write PLAN CLIENTS EACH PREFIX   new checks, by so many clients at once
//   rpc_client PORT stream PLAN                      StreamNodes, all of them
// Prints as JSON the median of one call in microseconds, and how many calls were answered in a second; of a
// stream, how long it takes as a whole. Messages are sent as bytes and come back as bytes, so that no reading
// of them is measured.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

// The wire format of protobuf, as far as these requests go: https://protobuf.dev/programming-guides/encoding/
std::string varint(std::size_t value) {
    std::string bytes;
    for (; value > 0x7f; value >>= 7) bytes += static_cast<char>(value | 0x80);
    return bytes += static_cast<char>(value);
}
std::string field(std::size_t number, std::string_view content) {
    return varint(number << 3 | 2) + varint(content.size()) + std::string(content);
}
std::string field(std::size_t number, std::size_t value) { return varint(number << 3) + varint(value); }

constexpr std::size_t final_state = 40;
constexpr const char* write_nodes = "/turboci.v1.TurboCIOrchestrator/WriteNodes";

std::string new_check(const std::string& plan, const std::string& id) {
    return field(1, plan) + field(2, field(1, id) + field(3, std::string_view("bench")));
}
std::string finished_check(const std::string& plan, const std::string& id) {
    return field(1, plan) + field(2, field(1, id) + field(2, final_state));
}

void require(const grpc::Status& status, const char* method) {
    if (status.ok()) return;
    std::fprintf(stderr, "%s: %s\n", method, status.error_message().c_str());
    std::exit(1);
}

/// A connection of its own; a thread has one.
class Connection {
public:
    explicit Connection(const char* port) {
        grpc::ChannelArguments arguments;
        arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
        arguments.SetMaxReceiveMessageSize(-1);
        channel_ = grpc::CreateCustomChannel(std::string("127.0.0.1:") + port,
                                             grpc::InsecureChannelCredentials(), arguments);
        if (!channel_->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10))) {
            std::fprintf(stderr, "nothing listens on port %s\n", port);
            std::exit(1);
        }
        stub_ = std::make_unique<grpc::GenericStub>(channel_);
    }

    /// Microseconds until the answer is there.
    double call(const char* method, const std::string& request) {
        const auto begin = Clock::now();
        grpc::ClientContext context;
        const grpc::Slice slice(request);
        const grpc::ByteBuffer sent(&slice, 1);
        const auto reader = stub_->PrepareUnaryCall(&context, method, sent, &queue_);
        reader->StartCall();
        grpc::ByteBuffer answer;
        grpc::Status status;
        reader->Finish(&answer, &status, nullptr);
        static_cast<void>(next());
        require(status, method);
        return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
    }

    /// Microseconds until a stream of answers has ended.
    double stream(const char* method, const std::string& request) {
        const auto begin = Clock::now();
        grpc::ClientContext context;
        const grpc::Slice slice(request);
        const auto call = stub_->PrepareCall(&context, method, &queue_);
        call->StartCall(nullptr);
        static_cast<void>(next());
        call->WriteLast(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions(), nullptr);
        static_cast<void>(next());
        grpc::ByteBuffer answer;
        do call->Read(&answer, nullptr);
        while (next());
        grpc::Status status;
        call->Finish(&status, nullptr);
        static_cast<void>(next());
        require(status, method);
        return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
    }

private:
    bool next() {
        void* tag = nullptr;
        bool ok = false;
        return queue_.Next(&tag, &ok) && ok;
    }

    std::shared_ptr<grpc::Channel> channel_;
    std::unique_ptr<grpc::GenericStub> stub_;
    grpc::CompletionQueue queue_;
};

void print(std::vector<double> taken, double elapsed_us) {
    std::sort(taken.begin(), taken.end());
    const auto count = static_cast<double>(taken.size());
    std::printf("{\"us\": %.1f, \"each_us\": %.3f, \"per_second\": %.1f}\n", taken[taken.size() / 2],
                elapsed_us / count, count * 1e6 / elapsed_us);
}

template <typename Request>
void one_by_one(const char* port, const char* method, int count, Request&& request) {
    Connection connection(port);
    std::vector<double> taken;
    const auto begin = Clock::now();
    for (int i = 0; i < count; ++i) taken.push_back(connection.call(method, request(i)));
    print(taken, std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
}

void at_once(const char* port, const std::string& plan, int clients, int each, const std::string& prefix) {
    std::vector<std::unique_ptr<Connection>> connections;
    for (int c = 0; c < clients; ++c) connections.push_back(std::make_unique<Connection>(port));
    std::vector<std::vector<double>> taken(connections.size());
    std::vector<std::thread> threads;
    const auto begin = Clock::now();
    for (std::size_t c = 0; c < connections.size(); ++c)
        threads.emplace_back([&, c] {
            for (int i = 0; i < each; ++i)
                taken[c].push_back(connections[c]->call(
                    write_nodes, new_check(plan, prefix + std::to_string(c) + "-" + std::to_string(i))));
        });
    for (std::thread& thread : threads) thread.join();
    const double elapsed = std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
    std::vector<double> all;
    for (const auto& some : taken) all.insert(all.end(), some.begin(), some.end());
    print(all, elapsed);
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv, argv + argc);
    const std::string mode = words.size() > 3 ? words[2] : "";
    if (mode == "read" && argc == 5) {
        one_by_one(argv[1], "/turboci.v1.TurboCIOrchestrator/GetWorkPlan", std::atoi(argv[4]),
                   [&](int) { return field(1, words[3]); });
    } else if (mode == "finish" && argc == 7) {
        const int first = std::atoi(argv[5]);
        one_by_one(argv[1], write_nodes, std::atoi(argv[6]),
                   [&](int i) { return finished_check(words[3], words[4] + std::to_string(first + i)); });
    } else if (mode == "write" && argc == 7) {
        at_once(argv[1], words[3], std::atoi(argv[4]), std::atoi(argv[5]), words[6]);
    } else if (mode == "stream" && argc == 4) {
        const std::string query = field(1, words[3]) + field(6, std::size_t{1}) + field(7, std::size_t{1});
        const double us = Connection(argv[1]).stream("/turboci.v1.TurboCIPlans/StreamNodes", field(1, query));
        std::printf("{\"us\": %.1f}\n", us);
    } else {
        std::fputs("usage: rpc_client PORT read|finish|write|stream PLAN ...\n", stderr);
        return 2;
    }
}
