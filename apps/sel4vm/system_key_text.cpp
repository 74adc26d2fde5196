// SPDX-License-Identifier: BSD-2-Clause
//
// Keys of a system file: found by name, and what they take in words.
#include <apps/sel4vm/system_keys.hpp>
#include <apps/sel4vm/text.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <vector>

namespace sel4vm::cli {
namespace {

std::string scalar_expectation(const Key &key) {
    switch (key.form) {
    case Form::none: return {};
    case Form::text:
    case Form::name:
    case Form::texts:
    case Form::numbers: return std::string(key.expected);
    case Form::number:
        return key.step == 1 ? fmt::format("a number from {} to {}", key.lowest, key.highest)
                             : fmt::format("a multiple of {} from {} to {}", key.step, key.lowest, key.highest);
    case Form::size: return "a size such as \"512M\" or \"1G\", or a number of bytes";
    case Form::address: return "an address such as 0x40000000";
    case Form::flag: return "true or false";
    case Form::choice: break;
    }
    std::vector<std::string> shown;
    for (const std::string_view name : key.choices)
        shown.push_back(in_quotes(name));
    return one_of(std::vector<std::string_view>(shown.begin(), shown.end()));
}

} // namespace

const Key *KeyTable::find(std::string_view key) const {
    const auto found = std::find_if(keys.begin(), keys.end(), [key](const Key &row) { return row.name == key; });
    return found == keys.end() ? nullptr : &*found;
}

std::string expectation(const Key &key, std::string_view path) {
    const std::string scalar = scalar_expectation(key);
    if (key.table == nullptr)
        return scalar;
    const std::string table =
        key.most_tables > 0 ? fmt::format("tables: [[{}]]", path) : fmt::format("a table: [{}]", path);
    return scalar.empty() ? table : fmt::format("{}, or {}", scalar, table);
}

} // namespace sel4vm::cli
