// SPDX-License-Identifier: Apache-2.0
// Everything that public clients were built with is still there, under the same names and numbers.
// (tests/proto/check looks closer, but needs buf.)
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/descriptor_database.h>

#include <fstream>
#include <string>

#include "support/catch.hpp"
#include "turboci/v1/service.pb.h"
#include "turboci/v1/stagerunner.pb.h"

namespace turboci::rpc {

namespace {

namespace pb = google::protobuf;

constexpr int kFirstOwnNumber = 101;

const pb::DescriptorPool& ours() { return *v1::WriteNodesRequest::descriptor()->file()->pool(); }

void compare(const pb::FieldDescriptor& theirs, const pb::FieldDescriptor* found) {
    CAPTURE(theirs.full_name());
    REQUIRE(found);
    CHECK(found->name() == theirs.name());
    CHECK(found->type() == theirs.type());
    CHECK(found->label() == theirs.label());
    CHECK(found->has_presence() == theirs.has_presence());
    CHECK(found->json_name() == theirs.json_name());
    if (theirs.message_type() && !theirs.is_map())
        CHECK(found->message_type()->full_name() == theirs.message_type()->full_name());
    if (theirs.enum_type()) CHECK(found->enum_type()->full_name() == theirs.enum_type()->full_name());
}

void compare(const pb::Descriptor& theirs) {
    CAPTURE(theirs.full_name());
    const auto* found = ours().FindMessageTypeByName(theirs.full_name());
    REQUIRE(found);
    for (int i = 0; i < theirs.field_count(); ++i)
        compare(*theirs.field(i), found->FindFieldByNumber(theirs.field(i)->number()));
    for (int i = 0; i < found->field_count(); ++i) {
        const auto& field = *found->field(i);
        CAPTURE(field.name());
        CHECK((theirs.FindFieldByNumber(field.number()) != nullptr || field.number() >= kFirstOwnNumber));
    }
}

void compare(const pb::EnumDescriptor& theirs) {
    CAPTURE(theirs.full_name());
    const auto* found = ours().FindEnumTypeByName(theirs.full_name());
    REQUIRE(found);
    for (int i = 0; i < theirs.value_count(); ++i) {
        const auto* value = found->FindValueByNumber(theirs.value(i)->number());
        REQUIRE(value);
        CHECK(value->name() == theirs.value(i)->name());
    }
}

void compare(const pb::ServiceDescriptor& theirs) {
    const auto* found = ours().FindServiceByName(theirs.full_name());
    REQUIRE(found);
    CHECK(found->method_count() == theirs.method_count());
    for (int i = 0; i < theirs.method_count(); ++i) {
        const auto& method = *theirs.method(i);
        CAPTURE(method.full_name());
        const auto* same = found->FindMethodByName(method.name());
        REQUIRE(same);
        CHECK(same->input_type()->full_name() == method.input_type()->full_name());
        CHECK(same->output_type()->full_name() == method.output_type()->full_name());
        CHECK(same->server_streaming() == method.server_streaming());
    }
}

}  // namespace

TEST_CASE("Public clients find every message, field, value and method that they were built with") {
    std::ifstream in(TURBOCI_PUBLIC_DESCRIPTORS, std::ios::binary);
    pb::FileDescriptorSet set;
    REQUIRE(set.ParseFromIstream(&in));
    pb::SimpleDescriptorDatabase files;
    for (const auto& file : set.file()) REQUIRE(files.Add(file));
    // What they import of protobuf itself is in this program.
    pb::DescriptorPoolDatabase linked(*pb::DescriptorPool::generated_pool());
    pb::MergedDescriptorDatabase all(&files, &linked);
    pb::DescriptorPool theirs(&all);
    int messages = 0;
    for (const auto* name : {"check", "common", "service", "stage", "stagerunner", "workplan"}) {
        const auto* file = theirs.FindFileByName("turboci/v1/" + std::string(name) + ".proto");
        REQUIRE(file);
        for (int i = 0; i < file->message_type_count(); ++i) compare(*file->message_type(i));
        for (int i = 0; i < file->enum_type_count(); ++i) compare(*file->enum_type(i));
        for (int i = 0; i < file->service_count(); ++i) compare(*file->service(i));
        messages += file->message_type_count();
    }
    CHECK(messages == 46);
}

}  // namespace turboci::rpc
