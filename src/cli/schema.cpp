// SPDX-License-Identifier: Apache-2.0
#include "cli/app.hpp"
#include "turboci/plan_file.hpp"

namespace turboci::cli {

namespace {

int print_schema(Context& context) {
    const std::string_view schema = plan_schema();
    if (context.format() == Format::yaml) {
        context.print_json(std::string(schema));
        return 0;
    }
    context.out().write(schema);
    if (schema.empty() || schema.back() != '\n') context.out().write("\n");
    return 0;
}

Action define_schema(Parser&) { return print_schema; }

constexpr Command kSchemaCommands[] = {
    {"schema", "Print the JSON Schema of plan files", "",
     "turboci schema > turboci.schema.json\n"
     "check-jsonschema --schemafile turboci.schema.json plan.yaml",
     kDocuments, define_schema},
};

}  // namespace

std::span<const Command> schema_commands() { return kSchemaCommands; }

}  // namespace turboci::cli
