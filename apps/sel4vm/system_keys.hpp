// SPDX-License-Identifier: BSD-2-Clause
//
// The keys of a system file, as tables: what each takes, and in which limits. The reader of system files takes limits, names and what
// must be there from here, and a JSON Schema for editors is printed from here, so that the two cannot disagree. Deliberately nothing
// about how keys depend on each other: that is machine/validate.hpp's.
#pragma once

#include <sel4vm/base/types.hpp>

#include <span>
#include <string>
#include <string_view>

namespace sel4vm::cli {

/// Of names that a file gives: machine::is_name() for editors.
inline constexpr std::string_view kNamePattern = "^[A-Za-z][A-Za-z0-9_-]{0,30}$";

/// What a key takes, other than a table.
enum class Form : u8 {
    none,    ///< only a table
    text,    ///< any text
    name,    ///< text that is not empty
    number,  ///< a whole number from `lowest` to `highest`
    size,    ///< "512M", or a number of bytes
    address, ///< a number, or one in quotes
    flag,    ///< true or false
    choice,  ///< one of `choices`
    texts,   ///< a list of texts
    numbers, ///< a list of whole numbers, each from `lowest` to `highest`, none of them twice, and at least one
};

enum class Presence : u8 { optional, required };

struct KeyTable;

struct Key {
    std::string_view name;
    Form form = Form::none;
    std::string_view help;          ///< what it is, for people who write a file
    std::string_view expected = {}; ///< of text, names and lists: how messages say what is wanted
    u64 lowest = 0;
    u64 highest = 0;
    u64 step = 1;                  ///< numbers are multiples of it
    std::string_view pattern = {}; ///< of text and names, for the schema: a regular expression for all of it
    u64 longest = 0;               ///< of text, in bytes; 0: any
    std::span<const std::string_view> choices = {};
    const KeyTable *table = nullptr; ///< a table of these keys, instead of `form`
    usize most_tables = 0;           ///< more than 0: [[name]], an array of at most so many tables
    Presence presence = Presence::optional;
};

struct KeyTable {
    std::string_view name; ///< of the table, where several keys have the same: for the schema
    std::span<const Key> keys;
    /// The key of this name, or nullptr.
    [[nodiscard]] const Key *find(std::string_view key) const;
};

/// The whole file.
[[nodiscard]] const KeyTable &system_file_keys();
/// One [[vm]].
[[nodiscard]] const KeyTable &vm_keys();

/// "a number from 1 to 128": what is wanted, worded to follow "expected ". `path` is how the key is called in messages.
[[nodiscard]] std::string expectation(const Key &key, std::string_view path);

} // namespace sel4vm::cli
