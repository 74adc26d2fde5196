// SPDX-License-Identifier: BSD-2-Clause
//
// Typed reading of TOML tables that notes every mistake and goes on. A key that nobody asked for is a mistake too, so the
// list of known keys is the code that reads them and nothing else.
#pragma once

#include <apps/sel4vm/mistakes.hpp>

#include <apps/sel4vm/toml.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sel4vm::cli {

template <class T>
struct Given {
    T value;
    Origin origin;
};

class TomlReader {
public:
    /// `path` is how the table is called in messages: "vm", "vm.uart"; empty for the whole file.
    TomlReader(const toml::table &table, std::string file, std::string path, Mistakes &mistakes);

    [[nodiscard]] std::optional<Given<std::string>> text(std::string_view key, std::string_view expected);
    /// The name of an existing thing (a file, a VM): text that is not empty.
    [[nodiscard]] std::optional<Given<std::string>> name(std::string_view key, std::string_view expected);
    [[nodiscard]] std::optional<Given<u64>> number(std::string_view key, u64 lowest, u64 highest);
    /// A size: text such as "512M", or a number of bytes.
    [[nodiscard]] std::optional<Given<u64>> size(std::string_view key);
    [[nodiscard]] std::optional<Given<u64>> address(std::string_view key);
    [[nodiscard]] std::optional<Given<bool>> flag(std::string_view key);
    /// Index of one of `names`.
    [[nodiscard]] std::optional<Given<usize>> choice(std::string_view key, std::span<const std::string_view> names);
    [[nodiscard]] std::vector<Given<std::string>> texts(std::string_view key, std::string_view expected);
    [[nodiscard]] std::optional<TomlReader> table(std::string_view key);
    /// [[key]]: an array of tables.
    [[nodiscard]] std::vector<TomlReader> tables(std::string_view key, usize limit);

    [[nodiscard]] bool has(std::string_view key) const { return table_->contains(key); }
    [[nodiscard]] bool has_table(std::string_view key) const;
    [[nodiscard]] bool has_array(std::string_view key) const;

    /// Reports the keys that were not asked for. Call once, at the end.
    void finish();

    /// The table itself, and a key of it whether it is there or not.
    [[nodiscard]] Origin origin() const;
    [[nodiscard]] Origin origin(std::string_view key) const;

private:
    const toml::node *ask(std::string_view key);
    void report_unknown(std::string_view key, std::span<const std::string_view> known);
    [[nodiscard]] std::string key_path(std::string_view key) const;
    const toml::table *table_;
    std::string file_;
    std::string path_;
    Mistakes *mistakes_;
    std::vector<std::string> asked_;
};

} // namespace sel4vm::cli
