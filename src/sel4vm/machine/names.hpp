// SPDX-License-Identifier: BSD-2-Clause
//
// The one spelling of each enumerator of a description: in TOML files, manifests and messages.
#pragma once

#include <sel4vm/machine/description.hpp>

#include <array>
#include <optional>
#include <span>
#include <string_view>

namespace sel4vm::machine {

/// `list` has the names in the order of the enumerators, which count from 0.
template <class E>
struct Names;

template <>
struct Names<RamKind> {
    static constexpr std::array<std::string_view, 2> list = {"eager", "demand"};
};
template <>
struct Names<ConsoleRoute> {
    static constexpr std::array<std::string_view, 2> list = {"host", "none"};
};
template <>
struct Names<ImageKind> {
    static constexpr std::array<std::string_view, 8> list = {"kernel", "initrd", "dtb",  "firmware",
                                                             "rom",    "raw",    "disk", "flash"};
};
template <>
struct Names<CounterPolicy> {
    static constexpr std::array<std::string_view, 3> list = {"host", "since_start", "running"};
};
template <>
struct Names<ExitMethod> {
    static constexpr std::array<std::string_view, 2> list = {"psci", "semihosting"};
};
template <>
struct Names<LinePrefix> {
    static constexpr std::array<std::string_view, 3> list = {"when_several", "always", "never"};
};
template <>
struct Names<LogLevel> {
    static constexpr std::array<std::string_view, 4> list = {"error", "warning", "info", "debug"};
};
template <>
struct Names<Trigger> {
    static constexpr std::array<std::string_view, 2> list = {"level", "edge"};
};
template <>
struct Names<PanicPolicy> {
    static constexpr std::array<std::string_view, 3> list = {"stop", "restart", "ignore"};
};
template <>
struct Names<PmuPolicy> {
    static constexpr std::array<std::string_view, 3> list = {"where_possible", "required", "hidden"};
};
template <>
struct Names<MsiKind> {
    static constexpr std::array<std::string_view, 4> list = {"none", "v2m", "mbi", "its"};
};
template <>
struct Names<SharedAccess> {
    static constexpr std::array<std::string_view, 2> list = {"read_write", "read_only"};
};
template <>
struct Names<ResetPolicy> {
    static constexpr std::array<std::string_view, 2> list = {"restart", "stop"};
};

/// Empty for a value that is no enumerator.
template <class E>
[[nodiscard]] constexpr std::string_view name_of(E value) {
    const auto index = static_cast<usize>(value);
    return index < Names<E>::list.size() ? Names<E>::list[index] : std::string_view();
}

template <class E>
[[nodiscard]] constexpr std::optional<E> from_name(std::string_view name) {
    for (usize i = 0; i < Names<E>::list.size(); ++i)
        if (Names<E>::list[i] == name)
            return static_cast<E>(i);
    return std::nullopt;
}

} // namespace sel4vm::machine
