// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/text.hpp>
#include <apps/sel4vm/toml_reader.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <limits>

namespace sel4vm::cli {
namespace {

/// A value for a message: scalars as written, tables and arrays by kind.
std::string value_text(const toml::node &node) {
    if (const auto *text = node.as_string())
        return in_quotes(text->get());
    if (const auto *number = node.as_integer()) {
        const bool hexadecimal =
            (number->flags() & toml::value_flags::format_as_hexadecimal) != toml::value_flags::none;
        return hexadecimal ? fmt::format("{:#x}", number->get()) : fmt::format("{}", number->get());
    }
    if (const auto *flag = node.as_boolean())
        return flag->get() ? "true" : "false";
    if (const auto *real = node.as_floating_point())
        return fmt::format("{}", real->get());
    if (node.is_table())
        return "{...}";
    if (node.is_array())
        return "[...]";
    return "(a date or time)";
}

std::optional<u64> natural(const toml::node &node) {
    const auto *number = node.as_integer();
    if (number == nullptr || number->get() < 0)
        return std::nullopt;
    return static_cast<u64>(number->get());
}

} // namespace

TomlReader::TomlReader(const toml::table &table, std::string file, std::string path, Mistakes &mistakes)
    : table_(&table), file_(std::move(file)), path_(std::move(path)), mistakes_(&mistakes) {}

std::string TomlReader::key_path(std::string_view key) const {
    return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

Origin TomlReader::origin() const {
    return {file_, table_->source().begin.line, path_.empty() ? std::string{} : fmt::format("key '{}'", path_), ""};
}

Origin TomlReader::origin(std::string_view key) const {
    Origin at = origin();
    at.name = fmt::format("key '{}'", shortened(key_path(key)));
    if (const auto found = table_->find(key); found != table_->end()) {
        at.line = found->first.source().begin.line;
        if (at.line == 0)
            at.line = found->second.source().begin.line;
        at.value = value_text(found->second);
    }
    return at;
}

const toml::node *TomlReader::ask(std::string_view key) {
    asked_.emplace_back(key);
    return table_->get(key);
}

bool TomlReader::has_table(std::string_view key) const {
    const toml::node *node = table_->get(key);
    return node != nullptr && node->is_table();
}

bool TomlReader::has_array(std::string_view key) const {
    const toml::node *node = table_->get(key);
    return node != nullptr && node->is_array();
}

std::optional<Given<std::string>> TomlReader::text(std::string_view key, std::string_view expected) {
    const toml::node *node = ask(key);
    if (node == nullptr)
        return std::nullopt;
    const auto *value = node->as_string();
    if (value == nullptr || value->get().find('\0') != std::string::npos) {
        mistakes_->expected(origin(key), std::string(expected));
        return std::nullopt;
    }
    return Given<std::string>{value->get(), origin(key)};
}

std::optional<Given<std::string>> TomlReader::name(std::string_view key, std::string_view expected) {
    auto value = text(key, expected);
    if (value && value->value.empty()) {
        mistakes_->expected(value->origin, std::string(expected));
        return std::nullopt;
    }
    return value;
}

std::optional<Given<u64>> TomlReader::number(std::string_view key, u64 lowest, u64 highest) {
    const toml::node *node = ask(key);
    if (node == nullptr)
        return std::nullopt;
    const auto value = natural(*node);
    if (!value || *value < lowest || *value > highest) {
        mistakes_->expected(origin(key), fmt::format("a number from {} to {}", lowest, highest));
        return std::nullopt;
    }
    return Given<u64>{*value, origin(key)};
}

std::optional<Given<u64>> TomlReader::size(std::string_view key) {
    const toml::node *node = ask(key);
    if (node == nullptr)
        return std::nullopt;
    const auto *written = node->as_string();
    const auto value = written != nullptr ? parse_size(written->get()) : natural(*node);
    if (!value) {
        mistakes_->expected(origin(key), "a size such as \"512M\" or \"1G\", or a number of bytes");
        return std::nullopt;
    }
    return Given<u64>{*value, origin(key)};
}

std::optional<Given<u64>> TomlReader::address(std::string_view key) {
    const toml::node *node = ask(key);
    if (node == nullptr)
        return std::nullopt;
    const auto *written = node->as_string();
    const auto value = written != nullptr ? parse_number(written->get()) : natural(*node);
    if (!value) {
        mistakes_->expected(origin(key), "an address such as 0x40000000");
        return std::nullopt;
    }
    return Given<u64>{*value, origin(key)};
}

std::optional<Given<bool>> TomlReader::flag(std::string_view key) {
    const toml::node *node = ask(key);
    if (node == nullptr)
        return std::nullopt;
    if (const auto *value = node->as_boolean())
        return Given<bool>{value->get(), origin(key)};
    mistakes_->expected(origin(key), "true or false");
    return std::nullopt;
}

std::optional<Given<usize>> TomlReader::choice(std::string_view key, std::span<const std::string_view> names) {
    const toml::node *node = ask(key);
    if (node == nullptr)
        return std::nullopt;
    if (const auto *written = node->as_string()) {
        const auto found = std::find(names.begin(), names.end(), written->get());
        if (found != names.end())
            return Given<usize>{static_cast<usize>(found - names.begin()), origin(key)};
    }
    std::vector<std::string> shown;
    for (const std::string_view name : names)
        shown.push_back(in_quotes(name));
    const std::vector<std::string_view> views(shown.begin(), shown.end());
    mistakes_->expected(origin(key), one_of(views));
    return std::nullopt;
}

std::vector<Given<std::string>> TomlReader::texts(std::string_view key, std::string_view expected) {
    const toml::node *node = ask(key);
    std::vector<Given<std::string>> out;
    if (node == nullptr)
        return out;
    const auto *array = node->as_array();
    if (array != nullptr) {
        for (const toml::node &item : *array) {
            if (const auto *value = item.as_string(); value != nullptr && value->get().find('\0') == std::string::npos)
                out.push_back({value->get(), origin(key)});
        }
    }
    if (array == nullptr || out.size() != array->size())
        mistakes_->expected(origin(key), std::string(expected));
    return out;
}

std::optional<TomlReader> TomlReader::table(std::string_view key) {
    const toml::node *node = ask(key);
    if (node == nullptr)
        return std::nullopt;
    if (const auto *found = node->as_table())
        return TomlReader(*found, file_, key_path(key), *mistakes_);
    mistakes_->expected(origin(key), fmt::format("a table: [{}]", key_path(key)));
    return std::nullopt;
}

std::vector<TomlReader> TomlReader::tables(std::string_view key, usize limit) {
    const toml::node *node = ask(key);
    std::vector<TomlReader> out;
    if (node == nullptr)
        return out;
    const auto *array = node->as_array();
    if (array == nullptr || !array->is_homogeneous(toml::node_type::table)) {
        if (array == nullptr || !array->empty())
            mistakes_->expected(origin(key), fmt::format("tables: [[{}]]", key_path(key)));
        return out;
    }
    for (const toml::node &item : *array) {
        if (out.size() == limit) {
            Origin at{file_, item.source().begin.line, fmt::format("key '{}'", key_path(key)), ""};
            mistakes_->expected(std::move(at), fmt::format("at most {} of them", limit));
            break;
        }
        out.emplace_back(*item.as_table(), file_, key_path(key), *mistakes_);
    }
    return out;
}

void TomlReader::finish() {
    const std::vector<std::string_view> known(asked_.begin(), asked_.end());
    std::vector<const toml::key *> unknown;
    for (const auto &[key, node] : *table_) {
        static_cast<void>(node);
        if (std::find(known.begin(), known.end(), key.str()) == known.end())
            unknown.push_back(&key);
    }
    // The first in the file are those that are listed.
    std::stable_sort(unknown.begin(), unknown.end(), [](const toml::key *a, const toml::key *b) {
        return a->source().begin.line < b->source().begin.line;
    });
    for (const toml::key *key : unknown)
        report_unknown(key->str(), known);
}

void TomlReader::report_unknown(std::string_view key, std::span<const std::string_view> known) {
    if (mistakes_->enough(MistakeKind::unknown))
        return mistakes_->add({}, {}, MistakeKind::unknown); // counted
    Origin at = origin(key);
    at.value.clear();
    // A key may hold anything when it is quoted.
    if (const std::string shown = in_quotes(key); shown.size() != key.size() + 2)
        at.name = fmt::format("key {}", shown);
    const auto nearest = nearest_name(key, known);
    mistakes_->add(std::move(at),
                   nearest ? fmt::format("is unknown; the nearest known key is '{}'", key_path(*nearest))
                           : std::string("is unknown"),
                   MistakeKind::unknown);
}

} // namespace sel4vm::cli
