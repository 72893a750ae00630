// SPDX-License-Identifier: Apache-2.0
// Reads a YAML file through libyaml's events and keeps nothing: read_yaml FILE.
#include <yaml.h>

#include <cstdio>

int main(int, char** argv) {
    std::FILE* file = std::fopen(argv[1], "rb");
    if (file == nullptr) return 1;
    yaml_parser_t parser;
    yaml_parser_initialize(&parser);
    yaml_parser_set_input_file(&parser, file);
    std::size_t events = 0;
    for (bool more = true; more; ++events) {
        yaml_event_t event;
        if (yaml_parser_parse(&parser, &event) == 0) return 1;
        more = event.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    std::fclose(file);
    std::printf("%zu\n", events);
}
