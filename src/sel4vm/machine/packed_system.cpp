// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/machine/packed_system.hpp>

#include <sel4vm/base/text.hpp>
#include <sel4vm/machine/manifest.hpp>
#include <sel4vm/machine/validate.hpp>

namespace sel4vm::machine {

std::optional<boot::Bundle> open_system(std::span<const u8> bytes, dev::DeviceKinds kinds, SystemDescription &system,
                                        Log &log) {
    const auto bundle = boot::Bundle::open(bytes);
    if (!bundle) {
        Text<160> text;
        text << "the bundle cannot be read: " << boot::to_string(bundle.error().kind);
        log.line(LogLevel::error, "host", text.view());
        return std::nullopt;
    }
    if (const auto decoded = decode_manifest(bundle->manifest(), kinds, system); !decoded) {
        Text<160> text;
        text << "the bundle's manifest is wrong: " << to_string(decoded.error().kind) << " (" << decoded.error().what
             << ")";
        log.line(LogLevel::error, "host", text.view());
        return std::nullopt;
    }
    const Problems problems = validate(system);
    for (const Problem &problem : problems) {
        Text<300> text;
        text << problem.key.view() << " is " << problem.value.view() << ", expected " << problem.expected.view();
        log.line(LogLevel::error, "bundle", text.view());
    }
    if (!problems.empty())
        return std::nullopt;
    return *bundle;
}

} // namespace sel4vm::machine
