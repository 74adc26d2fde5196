// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/text.hpp>
#include <apps/sel4vm/toml_reader.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <sel4vm/base/assert.hpp>
#include <sel4vm/machine/validation_report.hpp>

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
    if (const auto *real = node.as_floating_point()) {
        const std::string text = fmt::format("{}", real->get());
        return text.find_first_of(".en") == std::string::npos ? text + ".0" : text; // 1.0 is no 1
    }
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

TomlReader::TomlReader(const toml::table &table, const KeyTable &keys, std::string file, std::string path,
                       Mistakes &mistakes)
    : table_(&table), keys_(&keys), file_(std::move(file)), path_(std::move(path)), mistakes_(&mistakes) {
    report_missing();
    report_unknown();
}

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

TomlReader::Asked TomlReader::ask(std::string_view key, Form form) const {
    const Key *row = keys_->find(key);
    SEL4VM_ASSERT(row != nullptr && (row->form == form || (form == Form::text && row->form == Form::name) ||
                                     (form == Form::none && row->table != nullptr)));
    return {row, table_->get(key)};
}

void TomlReader::refuse(const Key &row) {
    wrong_.push_back(row.name);
    mistakes_->expected(origin(row.name), expectation(row, key_path(row.name)));
}

bool TomlReader::wrong(std::string_view key) const {
    return std::find(wrong_.begin(), wrong_.end(), key) != wrong_.end();
}

bool TomlReader::has_table(std::string_view key) const {
    const toml::node *node = table_->get(key);
    return node != nullptr && node->is_table();
}

bool TomlReader::has_array(std::string_view key) const {
    const toml::node *node = table_->get(key);
    return node != nullptr && node->is_array();
}

std::optional<Given<std::string>> TomlReader::text(std::string_view key) {
    const auto [row, node] = ask(key, Form::text);
    if (node == nullptr)
        return std::nullopt;
    const auto *value = node->as_string();
    const bool names = row->pattern == kNamePattern; // judged here, where its line is known
    if (value == nullptr || value->get().find('\0') != std::string::npos ||
        (row->form == Form::name && value->get().empty()) || (names && !machine::is_name(value->get()))) {
        refuse(*row);
        return std::nullopt;
    }
    return Given<std::string>{value->get(), origin(key)};
}

std::optional<Given<u64>> TomlReader::number(std::string_view key) {
    const auto [row, node] = ask(key, Form::number);
    if (node == nullptr)
        return std::nullopt;
    const auto value = natural(*node);
    if (!value || *value < row->lowest || *value > row->highest || *value % row->step != 0) {
        refuse(*row);
        return std::nullopt;
    }
    return Given<u64>{*value, origin(key)};
}

std::optional<Given<u64>> TomlReader::size(std::string_view key) {
    const auto [row, node] = ask(key, Form::size);
    if (node == nullptr)
        return std::nullopt;
    const auto *written = node->as_string();
    const auto value = written != nullptr ? parse_size(written->get()) : natural(*node);
    if (!value) {
        refuse(*row);
        return std::nullopt;
    }
    return Given<u64>{*value, origin(key)};
}

std::optional<Given<u64>> TomlReader::address(std::string_view key) {
    const auto [row, node] = ask(key, Form::address);
    if (node == nullptr)
        return std::nullopt;
    const auto *written = node->as_string();
    const auto value = written != nullptr ? parse_number(written->get()) : natural(*node);
    if (!value) {
        refuse(*row);
        return std::nullopt;
    }
    return Given<u64>{*value, origin(key)};
}

std::optional<Given<bool>> TomlReader::flag(std::string_view key) {
    const auto [row, node] = ask(key, Form::flag);
    if (node == nullptr)
        return std::nullopt;
    if (const auto *value = node->as_boolean())
        return Given<bool>{value->get(), origin(key)};
    refuse(*row);
    return std::nullopt;
}

std::optional<Given<usize>> TomlReader::choice(std::string_view key) {
    const auto [row, node] = ask(key, Form::choice);
    if (node == nullptr)
        return std::nullopt;
    if (const auto *written = node->as_string()) {
        const auto found = std::find(row->choices.begin(), row->choices.end(), written->get());
        if (found != row->choices.end())
            return Given<usize>{static_cast<usize>(found - row->choices.begin()), origin(key)};
    }
    refuse(*row);
    return std::nullopt;
}

std::vector<Given<std::string>> TomlReader::texts(std::string_view key) {
    const auto [row, node] = ask(key, Form::texts);
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
        refuse(*row);
    return out;
}

std::optional<Given<std::vector<u64>>> TomlReader::numbers(std::string_view key) {
    const auto [row, node] = ask(key, Form::numbers);
    if (node == nullptr)
        return std::nullopt;
    std::vector<u64> out;
    const auto *array = node->as_array();
    if (array != nullptr) {
        for (const toml::node &item : *array) {
            const auto value = natural(item);
            if (value && *value >= row->lowest && *value <= row->highest &&
                std::find(out.begin(), out.end(), *value) == out.end())
                out.push_back(*value);
        }
    }
    if (array == nullptr || array->empty() || out.size() != array->size()) {
        refuse(*row);
        return std::nullopt;
    }
    return Given<std::vector<u64>>{out, origin(key)};
}

std::optional<TomlReader> TomlReader::table(std::string_view key) {
    const auto [row, node] = ask(key, Form::none);
    if (node == nullptr)
        return std::nullopt;
    if (const auto *found = node->as_table())
        return TomlReader(*found, *row->table, file_, key_path(key), *mistakes_);
    refuse(*row);
    return std::nullopt;
}

std::vector<TomlReader> TomlReader::tables(std::string_view key) {
    const auto [row, node] = ask(key, Form::none);
    std::vector<TomlReader> out;
    if (node == nullptr)
        return out;
    const auto *array = node->as_array();
    if (array == nullptr || !array->is_homogeneous(toml::node_type::table)) {
        if (array == nullptr || !array->empty() || row->presence == Presence::required)
            refuse(*row);
        return out;
    }
    for (const toml::node &item : *array) {
        if (out.size() == row->most_tables) {
            Origin at{file_, item.source().begin.line, fmt::format("key '{}'", key_path(key)), ""};
            mistakes_->expected(std::move(at), fmt::format("at most {} of them", row->most_tables));
            break;
        }
        out.emplace_back(*item.as_table(), *row->table, file_, key_path(key), *mistakes_);
    }
    return out;
}

void TomlReader::report_missing() {
    for (const Key &row : keys_->keys) {
        if (row.presence == Presence::optional || has(row.name))
            continue;
        wrong_.push_back(row.name);
        mistakes_->missing(origin(row.name), "expected " + (row.expected.empty() ? expectation(row, key_path(row.name))
                                                                                 : std::string(row.expected)));
    }
}

void TomlReader::report_unknown() {
    std::vector<std::string_view> known;
    for (const Key &row : keys_->keys)
        known.push_back(row.name);
    std::vector<const toml::key *> unknown;
    for (const auto &[key, node] : *table_) {
        static_cast<void>(node);
        if (keys_->find(key.str()) == nullptr)
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
