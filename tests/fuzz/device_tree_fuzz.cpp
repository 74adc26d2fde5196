// SPDX-License-Identifier: BSD-2-Clause
//
// Any bytes as a user's own device tree: refused, or adapted to a well-formed tree that has the machine's memory.
#include <sel4vm/machine/arm/device_tree.hpp>

#include <support/descriptions.hpp>
#include <support/device_tree.hpp>

#include <cstdlib>

using namespace sel4vm;

namespace {

void require(bool condition) {
    if (!condition)
        std::abort();
}

class Counting final : public Entropy {
public:
    Status<HostError> fill(std::span<u8> out) override {
        for (u8 &byte : out)
            byte = next_++;
        return Ok{};
    }

private:
    u8 next_ = 1;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    test::TreeBuffer input(std::span<const u8>(data, size));
    const machine::MachineDescription vm = test::good_vm();
    Counting entropy;
    const machine::DeviceTreeInputs inputs{GpaRange::make(Gpa{0x4800'0000}, 5000), &entropy};

    test::TreeBuffer tight(size + 64); // runs out of space somewhere in the middle
    static_cast<void>(machine::adapt_device_tree(input.bytes(), vm, inputs, tight.bytes()).has_value());

    test::TreeBuffer buffer(size + machine::kDeviceTreeBufferBytes);
    const auto tree = machine::adapt_device_tree(input.bytes(), vm, inputs, buffer.bytes());
    if (!tree) {
        require(tree.error() != boot::FdtError::no_space);
        return 0;
    }
    require(fdt_check_full(tree->data(), tree->size()) == 0);
    const test::TreeView view(*tree);
    require(view.texts("/memory@40000000", "device_type") == "memory|");
    require(view.has("/psci") && view.texts("/chosen", "bootargs") == "console=ttyAMA0|");
    require(machine::find_seeds(*tree).size() == 2);
    return 0;
}
