// SPDX-License-Identifier: Apache-2.0
// Reads a JSON file through nlohmann's SAX interface and keeps nothing: read_json FILE.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

namespace {

using Json = nlohmann::json;

struct Counter : nlohmann::json_sax<Json> {
    std::size_t events = 0;
    bool count() {
        ++events;
        return true;
    }
    bool null() override { return count(); }
    bool boolean(bool) override { return count(); }
    bool number_integer(number_integer_t) override { return count(); }
    bool number_unsigned(number_unsigned_t) override { return count(); }
    bool number_float(number_float_t, const string_t&) override { return count(); }
    bool string(string_t&) override { return count(); }
    bool binary(binary_t&) override { return count(); }
    bool start_object(std::size_t) override { return count(); }
    bool key(string_t&) override { return count(); }
    bool end_object() override { return count(); }
    bool start_array(std::size_t) override { return count(); }
    bool end_array() override { return count(); }
    bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
        return false;
    }
};

}  // namespace

int main(int, char** argv) {
    std::ifstream file(argv[1], std::ios::binary | std::ios::ate);
    std::string text(static_cast<std::size_t>(file.tellg()), '\0');
    file.seekg(0);
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    Counter counter;
    if (!Json::sax_parse(text, &counter)) return 1;
    std::printf("%zu\n", counter.events);
}
