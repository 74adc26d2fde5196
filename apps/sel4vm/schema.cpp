// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/schema.hpp>
#include <apps/sel4vm/system_keys.hpp>
#include <apps/sel4vm/text.hpp>

#include <fmt/format.h>
#include <vector>

namespace sel4vm::cli {
namespace {

/// One nesting of the text.
std::string indented(std::string_view text) {
    std::string out;
    for (const char c : text) {
        out += c;
        if (c == '\n')
            out += "  ";
    }
    return out;
}

/// Help has no control characters.
std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            out += '\\';
        out += c;
    }
    return out + '"';
}

/// Members, "\"name\": value", as an object.
std::string object(const std::vector<std::string> &members) {
    std::string out = "{";
    for (const std::string &member : members)
        out += fmt::format("{}\n  {}", out.size() > 1 ? "," : "", indented(member));
    return out + "\n}";
}

std::string list(const std::vector<std::string> &items) {
    std::string out = "[";
    for (const std::string &item : items)
        out += (out.size() > 1 ? ", " : "") + item;
    return out + "]";
}

constexpr std::string_view kNumber = "(0[xX][0-9a-fA-F]+|[0-9]+)";

std::string text_or_number(std::string_view pattern) {
    return fmt::format(R"("anyOf": [{{"type": "integer", "minimum": 0}}, {{"type": "string", "pattern": {}}}])",
                       quoted(pattern));
}

/// A length is in characters there, so that of bytes is an upper bound.
std::string text(const Key &key) {
    std::string out = R"("type": "string")";
    if (!key.pattern.empty())
        out += fmt::format(R"(, "pattern": {})", quoted(key.pattern));
    else if (key.form == Form::name)
        out += R"(, "minLength": 1)";
    if (key.longest != 0)
        out += fmt::format(R"(, "maxLength": {})", key.longest);
    return out;
}

/// The members that say what a key takes, other than a table.
std::string scalar(const Key &key) {
    switch (key.form) {
    case Form::none: return {};
    case Form::text:
    case Form::name: return text(key);
    case Form::number:
        return fmt::format(R"("type": "integer", "minimum": {}, "maximum": {}{})", key.lowest, key.highest,
                           key.step == 1 ? std::string{} : fmt::format(R"(, "multipleOf": {})", key.step));
    case Form::size: return text_or_number(fmt::format("^{} ?([bB]|[kKmMgG]([iI]?[bB])?)?$", kNumber));
    case Form::address: return text_or_number(fmt::format("^{}$", kNumber));
    case Form::flag: return R"("type": "boolean")";
    case Form::texts: return R"("type": "array", "items": {"type": "string"})";
    case Form::numbers:
        return fmt::format(
            R"("type": "array", "minItems": 1, "uniqueItems": true, "items": {{"type": "integer", "minimum": {}, "maximum": {}}})",
            key.lowest, key.highest);
    case Form::choice: break;
    }
    std::vector<std::string> names;
    for (const std::string_view name : key.choices)
        names.push_back(quoted(name));
    return fmt::format(R"("enum": {})", list(names));
}

std::vector<std::string> table(const KeyTable &keys);

std::string table_of(const Key &key) {
    const std::string one = object(table(*key.table));
    if (key.most_tables == 0)
        return one;
    std::vector<std::string> members{R"("type": "array")", fmt::format(R"("maxItems": {})", key.most_tables),
                                     fmt::format(R"("items": {})", one)};
    if (key.presence == Presence::required)
        members.insert(members.begin() + 1, R"("minItems": 1)");
    return object(members);
}

std::string property(const Key &key) {
    const std::string simple = scalar(key);
    const std::string description = fmt::format(R"("description": {})", quoted(key.help));
    std::string what = simple;
    if (key.table != nullptr)
        what = simple.empty() ? fmt::format(R"("allOf": [{}])", table_of(key))
                              : fmt::format(R"("anyOf": [{{{}}}, {}])", simple, table_of(key));
    return fmt::format("{}: {}", quoted(key.name), object({description, what}));
}

std::vector<std::string> table(const KeyTable &keys) {
    std::vector<std::string> properties;
    std::vector<std::string> required;
    for (const Key &key : keys.keys) {
        properties.push_back(property(key));
        if (key.presence == Presence::required)
            required.push_back(quoted(key.name));
    }
    std::vector<std::string> members{R"("type": "object")", R"("additionalProperties": false)"};
    if (!required.empty())
        members.push_back(fmt::format(R"("required": {})", list(required)));
    members.push_back(fmt::format(R"("properties": {})", object(properties)));
    return members;
}

} // namespace

std::string system_file_schema() {
    std::vector<std::string> members{R"("$schema": "http://json-schema.org/draft-07/schema#")",
                                     R"("title": "System file of sel4vm")"};
    for (std::string &member : table(system_file_keys()))
        members.push_back(std::move(member));
    return object(members) + "\n";
}

} // namespace sel4vm::cli
