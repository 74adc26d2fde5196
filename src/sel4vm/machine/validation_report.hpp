// SPDX-License-Identifier: BSD-2-Clause
//
// How validate() writes down what it finds. Deliberately no judgement.
#pragma once

#include <sel4vm/machine/validate.hpp>

#include <array>
#include <utility>

namespace sel4vm::machine {

/// A number of bytes in the largest unit that divides it.
struct Size {
    u64 bytes;
};
inline TextWriter &operator<<(TextWriter &out, Size size) {
    constexpr std::array<std::pair<u64, const char *>, 3> kUnits{{{kGiB, " GiB"}, {kMiB, " MiB"}, {kKiB, " KiB"}}};
    for (const auto &[unit, name] : kUnits)
        if (size.bytes != 0 && size.bytes % unit == 0)
            return out << size.bytes / unit << name;
    return out << size.bytes << (size.bytes == 1 ? " byte" : " bytes");
}

inline constexpr std::string_view kNameRule = "a letter, then up to 30 letters, digits, '-' or '_'";
static_assert(kMaxNameBytes == 31);

/// Names appear in key paths, log lines and node names of device trees.
[[nodiscard]] constexpr bool is_name(std::string_view name) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    if (name.empty() || name.size() > kMaxNameBytes || !letter(name[0]))
        return false;
    for (const char c : name)
        if (!letter(c) && !(c >= '0' && c <= '9') && c != '-' && c != '_')
            return false;
    return true;
}

/// Collects problems; those beyond the capacity are dropped.
class ValidationReport {
public:
    using Key = Text<80>;
    /// The problem, or a place for what nobody will read. Words by value, so that literals of different lengths are of one type.
    template <class Value, class... Words>
    Problem &add(const Key &key, Value value, Words... expected) {
        Problem *problem = problems.emplace_back();
        if (problem == nullptr)
            return dropped_ = Problem{};
        problem->key = key;
        problem->value << value;
        (void)(problem->expected << ... << expected);
        return *problem;
    }
    Problems problems;

private:
    Problem dropped_;
};

/// What VMs are given of the machine: devices, and memory at its own address. (validate_passthrough.cpp)
void check_passthrough(const SystemDescription &system, ValidationReport &report);

} // namespace sel4vm::machine
