// SPDX-License-Identifier: BSD-2-Clause
//
// The device tree of a machine like QEMU's `virt`, to be changed by a test and read by the el2 host.
#pragma once

#include <hosts/el2/portable/platform_info.hpp>

#include <gtest/gtest.h>

#include <cstring>
#include <initializer_list>
#include <libfdt.h>
#include <string>
#include <vector>

namespace sel4vm::el2 {

/// A tree that can be changed, in the shape of QEMU's `virt` machine.
class Tree {
public:
    explicit Tree(GicVersion gic) {
        check(fdt_create_empty_tree(blob_.data(), static_cast<int>(blob_.size())));
        cells("/", "#address-cells", {2});
        cells("/", "#size-cells", {2});
        cells("/", "interrupt-parent", {7});
        text("/", "model", "test machine");
        node("/psci");
        check(fdt_setprop(data(), at("/psci"), "compatible", "arm,psci-1.0\0arm,psci-0.2\0arm,psci", 35));
        text("/psci", "method", "smc");
        node("/memory@40000000");
        text("/memory@40000000", "device_type", "memory");
        cells("/memory@40000000", "reg", {0, 0x4000'0000, 0, 0x4000'0000});
        node("/intc@8000000");
        cells("/intc@8000000", "phandle", {7});
        cells("/intc@8000000", "#interrupt-cells", {3});
        cells("/intc@8000000", "interrupts", {1, 9, 4});
        if (gic == GicVersion::v2) {
            text("/intc@8000000", "compatible", "arm,cortex-a15-gic");
            cells("/intc@8000000", "reg",
                  {0, 0x800'0000, 0, 0x1'0000, 0, 0x801'0000, 0, 0x1'0000, 0, 0x803'0000, 0, 0x1'0000, 0, 0x804'0000, 0,
                   0x1'0000});
        } else {
            text("/intc@8000000", "compatible", "arm,gic-v3");
            cells("/intc@8000000", "#redistributor-regions", {2});
            cells("/intc@8000000", "reg",
                  {0, 0x800'0000, 0, 0x1'0000, 0, 0x80a'0000, 0, 0xf6'0000, 0x40, 0, 0, 0x400'0000});
        }
        node("/timer");
        text("/timer", "compatible", "arm,armv8-timer");
        cells("/timer", "interrupts", {1, 13, 0x304, 1, 14, 0x304, 1, 11, 0x304, 1, 10, 0x304});
        node("/pl031@9010000");
        text("/pl031@9010000", "compatible", "arm,pl031");
        cells("/pl031@9010000", "reg", {0, 0x901'0000, 0, 0x1000});
        node("/pl011@9000000");
        text("/pl011@9000000", "compatible", "arm,pl011");
        cells("/pl011@9000000", "reg", {0, 0x900'0000, 0, 0x1000});
        cells("/pl011@9000000", "interrupts", {0, 1, 4});
        node("/cpus");
        cells("/cpus", "#address-cells", {1});
        cells("/cpus", "#size-cells", {0});
        for (const char *cpu : {"/cpus/cpu@1", "/cpus/cpu@0"}) { // libfdt puts a new node first
            node(cpu);
            text(cpu, "device_type", "cpu");
            cells(cpu, "reg", {cpu[10] == '0' ? 0U : 0x101U});
        }
        node("/chosen");
        text("/chosen", "stdout-path", "/pl011@9000000");
        text("/chosen", "bootargs", "one two");
    }

    void node(const std::string &path) {
        const auto slash = path.rfind('/');
        check(fdt_add_subnode(data(), at(slash == 0 ? "/" : path.substr(0, slash)), path.c_str() + slash + 1));
    }
    void remove(const std::string &path) { check(fdt_del_node(data(), at(path))); }
    void remove(const std::string &path, const char *name) { check(fdt_delprop(data(), at(path), name)); }
    void text(const std::string &path, const char *name, const char *value) {
        check(fdt_setprop(data(), at(path), name, value, static_cast<int>(std::strlen(value) + 1)));
    }
    void cells(const std::string &path, const char *name, std::initializer_list<u32> values) {
        std::vector<u8> bytes;
        for (const u32 value : values) {
            for (int shift = 24; shift >= 0; shift -= 8)
                bytes.push_back(static_cast<u8>(value >> shift));
        }
        check(fdt_setprop(data(), at(path), name, bytes.data(), static_cast<int>(bytes.size())));
    }
    void reserve(u64 base, u64 size) { check(fdt_add_mem_rsv(data(), base, size)); }
    std::span<u8> bytes() { return blob_; }
    void *data() { return blob_.data(); }

private:
    int at(const std::string &path) {
        const int offset = fdt_path_offset(data(), path.c_str());
        EXPECT_GE(offset, 0) << path;
        return offset;
    }
    static void check(int result) { ASSERT_GE(result, 0) << fdt_strerror(result); }
    std::vector<u8> blob_ = std::vector<u8>(16 * 1024);
};

/// Reads the tree; the sentence of the first mistake, or empty.
inline std::string read(Tree &tree, PlatformInfo &info) {
    auto opened = DeviceTree::open(tree.bytes());
    if (!opened)
        return std::string(opened.error().message.view());
    if (auto done = info.read_console(*opened); !done)
        return std::string(done.error().message.view());
    if (auto done = info.read_machine(*opened); !done)
        return std::string(done.error().message.view());
    return "";
}

} // namespace sel4vm::el2
