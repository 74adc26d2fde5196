// SPDX-License-Identifier: BSD-2-Clause
//
// Any bytes as a manifest: what decodes can be judged, encoded again, and then decodes to the same bytes.
#include <sel4vm/machine/arm/virt_devices.hpp>
#include <sel4vm/machine/manifest.hpp>
#include <sel4vm/machine/validate.hpp>

#include <support/device_tree.hpp>

#include <algorithm>
#include <cstdlib>
#include <memory>

using namespace sel4vm;

namespace {

void require(bool condition) {
    if (!condition)
        std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    test::TreeBuffer input(std::span<const u8>(data, size));
    auto system = std::make_unique<machine::SystemDescription>();
    if (const auto decoded = machine::decode_manifest(input.bytes(), machine::virt_devices(), *system); !decoded) {
        require(!machine::to_string(decoded.error().kind).empty() && !decoded.error().what.empty());
        return 0;
    }
    for (const machine::Problem &problem : machine::validate(*system))
        require(!problem.key.view().empty() && !problem.expected.view().empty());

    test::TreeBuffer first(machine::kManifestBufferBytes + size), second(machine::kManifestBufferBytes + size);
    const auto once = machine::encode_manifest(*system, first.bytes());
    require(once.has_value());
    auto again = std::make_unique<machine::SystemDescription>();
    require(machine::decode_manifest(*once, machine::virt_devices(), *again).has_value());
    const auto twice = machine::encode_manifest(*again, second.bytes());
    require(twice.has_value() && std::ranges::equal(*once, *twice));
    return 0;
}
