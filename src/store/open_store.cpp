// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

#include "domain/quotes.hpp"
#include "store/openers.hpp"
#include "turboci/error.hpp"

namespace turboci {

namespace {

std::unique_ptr<Store> open_memory(const std::string& rest, StoreOptions options, const Wait&) {
    if (!rest.empty())
        throw Error(ErrorCode::usage, "a store in memory has no name", "write memory: and nothing else");
    return open_memory_store(std::move(options));
}

struct Scheme {
    std::string_view name;  ///< with the colon
    std::unique_ptr<Store> (*open)(const std::string& rest, StoreOptions options, const Wait& wait);
    bool is_file = false;
};
constexpr std::array kSchemes{
    Scheme{"sqlite:", &open_sqlite_store, true},
    Scheme{"memory:", &open_memory},
};

ServerStores& server_stores() {
    static ServerStores stores;
    return stores;
}

const Scheme* scheme_of(std::string_view url) {
    for (const Scheme& scheme : kSchemes)
        if (url.starts_with(scheme.name)) return &scheme;
    return nullptr;
}

/// SCHEME of SCHEME://…
std::optional<std::string_view> foreign_scheme(std::string_view url) {
    const std::size_t end = url.find("://");
    if (end == std::string_view::npos || end == 0) return std::nullopt;
    const std::string_view scheme = url.substr(0, end);
    for (const char c : scheme)
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '+' && c != '-' && c != '.')
            return std::nullopt;
    if (std::isalpha(static_cast<unsigned char>(scheme.front())) == 0) return std::nullopt;
    return scheme;
}

[[noreturn]] void refuse_scheme(std::string_view scheme) {
    std::string known;
    for (const Scheme& each : kSchemes) known += std::string(each.name) + ", ";
    for (const std::string_view each : server_stores().schemes) known += std::string(each) + ", ";
    throw Error(ErrorCode::usage, "there is no kind of store " + in_quotes(std::string(scheme) + "://"),
                "name one of " + known + "or a file by its path; write ./ before a path that looks so");
}

}  // namespace

std::unique_ptr<Store> open_store(const std::string& url, StoreOptions options, const Wait& wait) {
    if (const Scheme* const scheme = scheme_of(url))
        return scheme->open(url.substr(scheme->name.size()), std::move(options), wait);
    if (is_server_store(url)) return server_stores().open(url, std::move(options));
    if (const auto scheme = foreign_scheme(url)) refuse_scheme(*scheme);
    return open_sqlite_store(url, std::move(options), wait);
}

bool is_server_store(const std::string& url) {
    return std::ranges::any_of(server_stores().schemes,
                               [&](std::string_view scheme) { return url.starts_with(scheme); });
}

void set_server_stores(ServerStores stores) { server_stores() = std::move(stores); }

std::vector<std::string> init_store(const std::string& url) {
    if (is_server_store(url)) return server_stores().init(url);
    if (const auto scheme = foreign_scheme(url)) refuse_scheme(*scheme);
    throw Error(ErrorCode::invalid_argument, in_quotes(url) + " needs no making beforehand",
                "create a plan in it: 'turboci plan create' makes the store");
}

std::string store_file(const std::string& url) {
    const Scheme* const scheme = scheme_of(url);
    return scheme != nullptr && scheme->is_file ? url.substr(scheme->name.size()) : url;
}

}  // namespace turboci
