// SPDX-License-Identifier: Apache-2.0
// Every list that a request can carry, doubled again and again: what is done of it may cost no more than n
// log n. Counted, not timed.
#include <array>
#include <functional>
#include <map>
#include <string>

#include "cost/steps.hpp"
#include "endpoint/review.hpp"
#include "engine/validate.hpp"
#include "format/graph.hpp"
#include "format/json_output.hpp"
#include "service/local_service.hpp"
#include "support/catch.hpp"
#include "support/fake_clock.hpp"
#include "support/temp_dir.hpp"
#include "turboci/turboci.hpp"

using namespace turboci;
using turboci::test::steps;

namespace {

constexpr std::array kSizes{100, 200, 400, 800, 1600};

/// Steps of each part of the work, by the number of the size.
using Costs = std::map<std::string, std::array<std::uint64_t, kSizes.size()>>;

void measure(Costs& costs, const std::string& part, std::size_t size, const std::function<void()>& work) {
    const std::uint64_t before = steps();
    work();
    costs[part][size] = steps() - before;
}

/// What a doubling adds must itself no more than double, but for a logarithm: what does not hang on n cancels
/// out.
void judge(const std::string& what, const Costs& costs) {
    for (const auto& [part, taken] : costs) {
        constexpr double kMost = 2.6;  // n log n: 2.2 at these sizes; n²: 4
        constexpr std::uint64_t kNothing = 20'000;
        const std::uint64_t last = taken[4] - std::min(taken[3], taken[4]);
        const std::uint64_t before = taken[3] - std::min(taken[2], taken[3]);
        CAPTURE(what, part, taken[0], taken[1], taken[2], taken[3], taken[4]);
        CHECK((last < kNothing || static_cast<double>(last) < kMost * static_cast<double>(before)));
    }
}

std::string joined(int n, const std::function<std::string(const std::string&)>& item) {
    std::string text;
    for (int i = 0; i < n; ++i) text += (i > 0 ? "," : "") + item(std::to_string(i));
    return text;
}
std::string before(const std::string& i) { return std::to_string(std::stoi(i) - 1); }

class Place {
public:
    Place() : store(open_store(dir / "plan.db", {.create = true, .clock = &clock})), endpoint(*store) {}

    static WriteNodes request(const std::string& text) {
        WriteNodes request;
        request.plan = "p";
        request.actor = "tester";
        Problems problems;
        read_plan_text({"plan.json", text}, request, problems);
        problems.raise_if_any(request.files);
        return request;
    }
    void create(const WriteNodes& nodes) {
        CreatePlan create;
        create.id = "p";
        create.nodes = nodes;
        endpoint.create_plan(create);
    }
    void create(const std::string& text) { create(request(text)); }
    void write(const std::string& text) { endpoint.write_nodes(request(text)); }

    turboci::test::TempDir dir;
    turboci::test::FakeClock clock;
    std::unique_ptr<Store> store;
    LocalService endpoint;
};

/// All that can be done of a plan that a file makes.
void use(Costs& costs, std::size_t size, const std::string& text) {
    Place place;
    WriteNodes request;
    measure(costs, "read", size, [&] { request = Place::request(text); });
    measure(costs, "review", size, [&] {
        Problems problems;
        static_cast<void>(review(request, problems));
    });
    measure(costs, "create", size, [&] { place.create(request); });
    measure(costs, "write again", size, [&] { place.endpoint.write_nodes(request); });
    measure(costs, "rehearsal", size, [&] { static_cast<void>(place.endpoint.rehearse("p", {})); });
    QueryNodes query;
    query.plan = "p";
    measure(costs, "query", size, [&] {
        JsonSink sink;
        place.endpoint.query(query, sink);
        static_cast<void>(indent_json(sink.take()));
    });
    Outline outline;
    measure(costs, "outline", size, [&] { outline = place.endpoint.outline(query); });
    for (const GraphFormat format :
         {GraphFormat::dot, GraphFormat::mermaid, GraphFormat::json, GraphFormat::tree})
        for (const bool collapsed : {false, true})
            measure(costs,
                    "graph " + std::to_string(static_cast<int>(format)) + (collapsed ? " collapsed" : ""),
                    size, [&] {
                        GraphOptions options;
                        options.format = format;
                        options.collapse_by_kind = collapsed;
                        render_graph(outline, options, [](std::string_view) {});
                    });
    measure(costs, "summary", size, [&] { static_cast<void>(place.endpoint.summarize("p", 10)); });
    measure(costs, "explain", size, [&] {
        std::string out;
        append_json(out, place.endpoint.explain("p", {std::nullopt, "w"}));
    });
    std::string exported;
    measure(costs, "export", size, [&] {
        place.endpoint.export_plan("p", [&](std::string_view line) { exported += std::string(line) + '\n'; });
    });
    Place other;
    measure(costs, "import", size, [&] { other.endpoint.import_plan(exported, "e"); });
    measure(costs, "check of the store", size, [&] { CHECK(place.store->check({}).empty()); });
}

using Id = const std::string&;

struct List {
    const char* name;
    std::function<std::string(int)> file;
};

std::string checks(const std::string& list) { return R"({"checks":[{"id":"w"},)" + list + "]}"; }
std::string waits(const std::string& rest, const std::string& dependencies) {
    return R"({"checks":[{"id":"w","state":"PLANNED","dependencies":)" + dependencies + "}," + rest + "]}";
}
std::string names(int n) {
    return joined(n, [](Id i) { return '"' + i + '"'; });
}
std::string nested(int depth, const std::string& inside) {
    std::string text = inside;
    for (int i = 0; i < depth; ++i) text = R"({"any":[)" + text + "]}";
    return text;
}
std::string plain(int n) {
    return joined(n, [](Id i) { return R"({"id":")" + i + "\"}"; });
}

const List kLists[] = {
    {"checks", [](int n) { return checks(plain(n)); }},
    {"kinds",
     [](int n) {
         return checks(joined(n, [](Id i) { return R"({"id":")" + i + R"(","kind":"k)" + i + "\"}"; }));
     }},
    {"stages", [](int n) { return R"({"stages":[{"id":"w"},)" + plain(n) + "]}"; }},
    {"edges of a node", [](int n) { return waits(plain(n), '[' + names(n) + ']'); }},
    {"the same edge",
     [](int n) { return waits(plain(1), '[' + joined(n, [](Id) { return R"("0")"; }) + ']'); }},
    {"groups of a node",
     [](int n) { return waits(plain(1), '[' + joined(n, [](Id) { return R"({"any":["0"]})"; }) + ']'); }},
    {"nested groups",
     [](int n) {
         return waits(plain(1), '[' + joined(n / 10, [](Id) { return nested(25, R"("0")"); }) + ']');
     }},
    {"a long list in deep groups", [](int n) { return waits(plain(n), nested(25, names(n))); }},
    {"waiters of a target",
     [](int n) {
         return checks(joined(n, [](Id i) { return R"({"id":")" + i + R"(","dependencies":["w"]})"; }));
     }},
    {"a chain",
     [](int n) {
         return checks(joined(n, [](Id i) {
             return R"({"id":")" + i + R"(","state":"PLANNED","dependencies":[")" +
                    (i == "0" ? "w" : before(i)) + "\"]}";
         }));
     }},
    {"a chain that fails",
     [](int n) {
         return R"({"checks":[{"id":"w","state":"FINAL","result":{"failure":"x"}},)" +
                joined(n,
                       [](Id i) {
                           return R"({"id":")" + i + R"(","state":"PLANNED","dependencies":[")" +
                                  (i == "0" ? "w" : before(i)) + "\"]}";
                       }) +
                "]}";
     }},
    {"assignments of a stage",
     [](int n) {
         return R"({"checks":[)" + plain(n) + R"(],"stages":[{"id":"w","assignments":[)" + names(n) + "]}]}";
     }},
    {"stages of a check",
     [](int n) {
         return R"({"checks":[{"id":"w","state":"PLANNED"}],"stages":[)" +
                joined(n, [](Id i) { return R"({"id":")" + i + R"(","assignments":["w"]})"; }) + "]}";
     }},
    {"a continuation group",
     [](int n) {
         return R"({"stages":[{"id":"w","continuation_group":[)" + names(n) + "]}," + plain(n) + "]}";
     }},
    {"results of one owner",
     [](int n) {
         return R"({"checks":[{"id":"w","state":"WAITING","results":[)" +
                joined(n, [](Id i) { return R"({"data":{"k)" + i + R"(":1}})"; }) + "]}]}";
     }},
    {"progress",
     [](int n) { return R"({"stages":[{"id":"w","attempt":{"progress":[)" + names(n) + "]}}]}"; }},
    {"labels",
     [](int n) {
         return R"({"checks":[{"id":"w"}],"plan":{)" + joined(n, [](Id i) { return '"' + i + R"(":"v")"; }) +
                "}}";
     }},
    {"options",
     [](int n) {
         return R"({"checks":[{"id":"w","options":{)" + joined(n, [](Id i) { return '"' + i + R"(":1)"; }) +
                "}}]}";
     }},
    {"args",
     [](int n) {
         return R"({"stages":[{"id":"w","args":{)" + joined(n, [](Id i) { return '"' + i + R"(":1)"; }) +
                "}}]}";
     }},
    {"a matrix",
     [](int n) {
         const std::string matrix = R"("matrix":{"a":[)" + names(n) + "]}";
         return R"({"checks":[{"id":"c{{a}}",)" + matrix + R"(}],"stages":[{"id":"s{{a}}",)" + matrix +
                R"(,"assignments":["c{{a}}"]},{"id":"t{{a}}",)" + matrix +
                R"(,"dependencies":["s{{a}}"]},{"id":"w","dependencies":{"any":["t{{a}}"]}}]})";
     }},
    {"combinations that are left out",
     [](int n) {
         return R"({"stages":[{"id":"w"},{"id":"{{a}}{{b}}","matrix":{"a":[)" + names(n) +
                R"(],"b":["x","y"],"exclude":[)" +
                joined(n, [](Id i) { return R"({"a":")" + i + R"(","b":"x"})"; }) + "]}}]}";
     }},
    {"matrices",
     [](int n) {
         return R"({"stages":[{"id":"w"},)" +
                joined(n,
                       [](Id i) {
                           return R"({"id":"{{a}})" + i + R"(","matrix":{"a":["x","y"]}},{"id":"r{{a}})" + i +
                                  R"(","matrix":{"a":["x"]},"dependencies":["{{a}})" + i + R"("]})";
                       }) +
                "]}";
     }},
    {"nodes that take defaults",
     [](int n) {
         return R"({"stages":[{"id":"w"},)" + plain(n) +
                R"(],"defaults":{"stage":{"timeout":"1m","args":{"a":1}}}})";
     }},
    {"defaults that a node takes, and others that it does not",
     [](int n) {
         const auto args = [n](Id value) {
             return joined(n, [&](Id i) { return '"' + i + R"(":)" + value; });
         };
         return R"({"defaults":{"stage":{"args":{)" + args("1") +
                R"(}}},"stages":[{"id":"w"},{"id":"x","args":{)" + args("2") + "}}]}";
     }},
    {"deadlocks",
     [](int n) {
         return R"({"checks":[{"id":"w"},)" +
                joined(n, [](Id i) { return R"({"id":")" + i + R"(","state":"PLANNED"})"; }) +
                R"(],"stages":[)" +
                joined(n,
                       [](Id i) {
                           return R"({"id":")" + i + R"(","dependencies":["check:)" + i +
                                  R"("],"assignments":[")" + i + "\"]}";
                       }) +
                "]}";
     }},
};

/// What is refused: read, looked through and written in vain.
const List kRefused[] = {
    {"missing targets",
     [](int n) { return waits(plain(n), '[' + joined(n, [](Id i) { return "\"x" + i + '"'; }) + ']'); }},
    {"a long cycle",
     [](int n) {
         return checks(joined(n, [n](Id i) {
             return R"({"id":")" + i + R"(","dependencies":[")" +
                    (i == "0" ? std::to_string(n - 1) : before(i)) + "\"]}";
         }));
     }},
    {"many cycles",
     [](int n) {
         return checks(
             joined(n, [](Id i) { return R"({"id":")" + i + R"(","dependencies":[")" + i + "\"]}"; }));
     }},
    {"duplicate ids", [](int n) { return checks(plain(n) + ',' + plain(n)); }},
    {"unknown keys",
     [](int n) {
         return R"({"checks":[{"id":"w",)" + joined(n, [](Id i) { return "\"dependencie" + i + R"(":1)"; }) +
                "}]}";
     }},
    {"merges of a list that is no list of maps",
     [](int n) {
         n *= 10;  // what small files may grow to is free
         return "x-a: &L [" + joined(n, [](Id) { return "{}"; }) + ", 1]\nx-b: [" +
                joined(n, [](Id) { return "{<<: *L}"; }) + "]\n";
     }},
    {"an alias as a key",
     [](int n) {
         return "x-a: &a '" + std::string(static_cast<std::size_t>(n) * 100, 'k') + "'\nx-b: [" +
                joined(n, [](Id) { return "{*a : 1}"; }) + "]\n";
     }},
};

}  // namespace

TEST_CASE("What is done of a plan costs no more than n log n in any list of its file") {
    for (const List& list : kLists) {
        Costs costs;
        for (std::size_t i = 0; i < kSizes.size(); ++i) use(costs, i, list.file(kSizes[i]));
        judge(list.name, costs);
    }
}

TEST_CASE("What is wrong in a file is found in n log n steps") {
    for (const List& list : kRefused) {
        Costs costs;
        for (std::size_t i = 0; i < kSizes.size(); ++i) {
            const std::string text = list.file(kSizes[i]);
            Place place;
            place.create("{}");
            WriteNodes request;
            Problems problems;
            measure(costs, "read", i, [&] { read_plan_text({"plan.yaml", text}, request, problems); });
            measure(costs, "review", i, [&] { static_cast<void>(review(request, problems)); });
            request.plan = "p";
            measure(costs, "write", i, [&] {
                try {
                    place.endpoint.write_nodes(request);
                } catch (const Error&) {
                }
            });
        }
        judge(list.name, costs);
    }
}

TEST_CASE("Ends of many in one write cost no more than n log n") {
    Costs costs;
    for (std::size_t i = 0; i < kSizes.size(); ++i) {
        const int n = kSizes[i];
        Place place;
        place.create(waits(joined(n, [](Id k) { return R"({"id":")" + k + R"(","state":"WAITING"})"; }),
                           '[' + joined(n, [](Id k) { return R"({"any":[")" + k + "\"]}"; }) + ']'));
        const auto end = [n](Id k) {
            return R"({"id":")" + std::to_string(n - 1 - std::stoi(k)) + R"(","state":"FINAL"})";
        };
        measure(costs, "groups, the last first", i,
                [&] { place.write(R"({"checks":[)" + joined(n, end) + "]}"); });

        Place attempts;
        const std::string assigned = R"(","assignments":["w"]})";
        attempts.create(R"({"checks":[{"id":"w","state":"PLANNED"}],"stages":[)" +
                        joined(n, [&](Id k) { return R"({"id":")" + k + assigned; }) + "]}");
        const auto all = [&](const std::string& what) {
            attempts.write(
                R"({"stages":[)" +
                joined(n, [&](Id k) { return R"({"id":")" + k + R"(","attempt":)" + what + '}'; }) + "]}");
        };
        measure(costs, "starts", i, [&] { all(R"({"state":"RUNNING","process_uid":"u"})"); });
        measure(costs, "results of all", i, [&] {
            attempts.write(
                R"({"checks":[{"id":"w","results":[)" +
                joined(n, [](Id k) { return R"({"stage":")" + k + R"(","attempt":1,"data":{"a":1}})"; }) +
                "]}]}");
        });
        measure(costs, "failures", i, [&] { all(R"({"state":"INCOMPLETE","failure":"x"})"); });
    }
    judge("ends", costs);
}

TEST_CASE("An attempt that finishes many checks in one write costs no more than n log n") {
    Costs costs;
    for (std::size_t i = 0; i < kSizes.size(); ++i) {
        const int n = kSizes[i];
        Place place;
        const auto check = [](const char* state) {
            return [state](Id k) { return R"({"id":")" + k + R"(","state":")" + state + "\"}"; };
        };
        place.create(R"({"checks":[)" + joined(n, check("PLANNED")) +
                     R"(],"stages":[{"id":"s","assignments":[)" + names(n) + "]}]}");
        place.write(R"({"stages":[{"id":"s","attempt":{"state":"RUNNING","process_uid":"u"}}]})");
        WriteNodes request = Place::request(R"({"checks":[)" + joined(n, check("FINAL")) + "]}");
        request.inside = AttemptRef{"s", 1};
        measure(costs, "last words", i, [&] { place.endpoint.write_nodes(request); });
    }
    judge("an attempt", costs);
}

TEST_CASE("Claims, labels and filters cost no more than n log n") {
    Costs costs;
    for (std::size_t i = 0; i < kSizes.size(); ++i) {
        const int n = kSizes[i];
        Place place;
        CreatePlan create;
        create.id = "p";
        for (int k = 0; k < n; ++k) create.labels.emplace_back("k" + std::to_string(k), "v");
        create.nodes =
            Place::request(R"({"checks":[)" +
                           joined(n, [](Id k) { return R"({"id":")" + k + R"(","kind":"k)" + k + "\"}"; }) +
                           R"(],"stages":[)" + plain(n) + "]}");
        measure(costs, "labels of a new plan", i, [&] { place.endpoint.create_plan(create); });
        for (const bool by_kind : {true, false}) {
            QueryNodes query;
            query.plan = "p";
            auto& list = by_kind ? query.kinds : query.match;
            for (int k = n; k > 0; --k) list.push_back((by_kind ? "k" : "") + std::to_string(k));
            measure(costs, by_kind ? "kinds" : "ids that match", i, [&] {
                JsonSink sink;
                place.endpoint.query(query, sink);
            });
        }
        WriteNodes claim;
        claim.plan = "p";
        claim.actor = "tester";
        claim.claim = Claim{.stages = {}, .at_most = 1, .process_uid = "u", .holder = "u", .runner = {}};
        claim.claim->filter.with_command = true;
        measure(costs, "stages that a claimer refuses", i, [&] { place.endpoint.write_nodes(claim); });
    }
    judge("a plan", costs);
}
