// SPDX-License-Identifier: BSD-2-Clause
//
// Typed reading of TOML tables by a table of their keys (system_keys.hpp) that notes every mistake and goes on. A key that is not in it
// is a mistake, too. Asking for a key that is not in it, or as something else than it says, is a bug.
#pragma once

#include <apps/sel4vm/mistakes.hpp>
#include <apps/sel4vm/system_keys.hpp>

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
    /// `path` is how the table is called in messages: "vm", "vm.uart"; empty for the whole file. Reports unknown and missing keys.
    TomlReader(const toml::table &table, const KeyTable &keys, std::string file, std::string path, Mistakes &mistakes);

    [[nodiscard]] std::optional<Given<std::string>> text(std::string_view key); // also names
    [[nodiscard]] std::optional<Given<u64>> number(std::string_view key);
    [[nodiscard]] std::optional<Given<u64>> size(std::string_view key);
    [[nodiscard]] std::optional<Given<u64>> address(std::string_view key);
    [[nodiscard]] std::optional<Given<bool>> flag(std::string_view key);
    /// Index of one of the key's names.
    [[nodiscard]] std::optional<Given<usize>> choice(std::string_view key);
    [[nodiscard]] std::vector<Given<std::string>> texts(std::string_view key);
    [[nodiscard]] std::optional<Given<std::vector<u64>>> numbers(std::string_view key);
    [[nodiscard]] std::optional<TomlReader> table(std::string_view key);
    /// [[key]]: an array of tables.
    [[nodiscard]] std::vector<TomlReader> tables(std::string_view key);

    [[nodiscard]] bool has(std::string_view key) const { return table_->contains(key); }
    [[nodiscard]] bool has_table(std::string_view key) const;
    [[nodiscard]] bool has_array(std::string_view key) const;
    /// Whether a mistake about this key was noted: that it is missing, or what it holds.
    [[nodiscard]] bool wrong(std::string_view key) const;
    /// Notes that what the key holds is wrong.
    void refuse(std::string_view key) { refuse(*keys_->find(key)); }

    /// The table itself, and a key of it whether it is there or not.
    [[nodiscard]] Origin origin() const;
    [[nodiscard]] Origin origin(std::string_view key) const;

private:
    struct Asked {
        const Key *row;
        const toml::node *node; // nullptr when it is not there
    };
    [[nodiscard]] Asked ask(std::string_view key, Form form) const;
    void refuse(const Key &row);
    void report_missing();
    void report_unknown();
    void report_unknown(std::string_view key, std::span<const std::string_view> known);
    [[nodiscard]] std::string key_path(std::string_view key) const;
    const toml::table *table_;
    const KeyTable *keys_;
    std::string file_;
    std::string path_;
    Mistakes *mistakes_;
    std::vector<std::string_view> wrong_; // names of rows
};

} // namespace sel4vm::cli
