// SPDX-License-Identifier: Apache-2.0
#include "grpc/admin.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "grpc/streams.hpp"

namespace turboci::rpc {

namespace {

constexpr std::size_t kPartBytes = 256 << 10;

/// A folder for one file, which goes with it.
class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "turbocid.XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr)
            throw Error(ErrorCode::store, "there is no room for a folder in the folder for temporary files");
        path_ = std::move(pattern);
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    [[nodiscard]] std::string file(const char* name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

}  // namespace

grpc::ServerUnaryReactor* AdminHandlers::CheckStore(Context* context, const v1::CheckStoreRequest* request,
                                                    v1::CheckStoreResponse* response) {
    return unary(host_, context, "CheckStore", *request, [=](const CallPtr& call) {
        call->authorise(server::Scope::admin, {});
        call->read([=](server::Reader& reader) {
            for (const StoreProblem& problem : reader.store->check({})) response->add_lines(problem.message);
            for (const std::string& line : reader.service->check_states()) response->add_lines(line);
            response->set_sound(response->lines().empty());
            call->finish();
        });
    });
}

grpc::ServerUnaryReactor* AdminHandlers::ListWorkers(Context* context, const v1::ListWorkersRequest* request,
                                                     v1::ListWorkersResponse* response) {
    return unary(host_, context, "ListWorkers", *request, [=](const CallPtr& call) {
        call->authorise(server::Scope::admin, {});
        call->read([=](server::Reader& reader) {
            for (const Worker& worker : reader.service->workers()) write(worker, *response->add_workers());
            call->finish();
        });
    });
}

grpc::ServerUnaryReactor* AdminHandlers::DrainWorker(Context* context, const v1::DrainWorkerRequest* request,
                                                     v1::DrainWorkerResponse* /*response*/) {
    return unary(host_, context, "DrainWorker", *request, [=](const CallPtr& call) {
        call->authorise(server::Scope::admin, {});
        const std::string& worker = request->uid().empty() ? request->name() : request->uid();
        if (worker.empty()) throw Error(ErrorCode::invalid_argument, "uid, name: both are empty");
        call->change(request->ByteSizeLong(), [=](turboci::Service& service) {
            service.drain_worker(worker);
            call->finish();
        });
    });
}

grpc::ServerWriteReactor<v1::BackupStoreResponse>* AdminHandlers::BackupStore(
    Context* context, const v1::BackupStoreRequest* request) {
    using Stream = AnswerStream<v1::BackupStoreResponse>;
    return Stream::start(host_, context, "BackupStore", *request, [](Call& call) -> Stream::Produce {
        call.authorise(server::Scope::admin, {});
        return [](server::Reader& reader, const Stream::Put& put) {
            const TemporaryFolder folder;
            reader.store->backup(folder.file("backup.db"), {});
            std::ifstream file(folder.file("backup.db"), std::ios::binary);
            while (file) {
                v1::BackupStoreResponse part;
                part.mutable_data()->resize(kPartBytes);
                file.read(part.mutable_data()->data(), kPartBytes);
                part.mutable_data()->resize(static_cast<std::size_t>(file.gcount()));
                if (!part.data().empty()) put(std::move(part));
            }
        };
    });
}

}  // namespace turboci::rpc
