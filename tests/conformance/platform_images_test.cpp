// SPDX-License-Identifier: BSD-2-Clause
//
// libsel4vmmplatsupport on the fake host: kernels and modules, and the device tree that a guest is given.
#include <platform_support_fixture.hpp>

#include <sel4vmmplatsupport/guest_device_tree.h>
#include <sel4vmmplatsupport/guest_vcpu_util.h>

#include <libfdt.h>
#include <zlib.h>

namespace sel4vm::test {
namespace {

Bytes patterned(Bytes file) {
    for (size_t i = 64; i < file.size(); ++i)
        file[i] = static_cast<u8>(i * 7);
    return file;
}

Bytes gzip(const Bytes &plain) {
    z_stream stream{};
    EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    Bytes packed(deflateBound(&stream, plain.size()) + 64);
    stream.next_in = const_cast<u8 *>(plain.data());
    stream.avail_in = static_cast<uInt>(plain.size());
    stream.next_out = packed.data();
    stream.avail_out = static_cast<uInt>(packed.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

// ---------------------------------------------------------------- Images

TEST_F(PlatformSupport, AnImageGoesWhereItsHeaderSays) {
    const Bytes file = patterned(arm64_image(0x80000, 0x20000, 0, 9000));
    add_file("kernel", file);
    ASSERT_EQ(vm_load_guest_kernel(vm(), "kernel", RAM, 0, &kernel_), 0);
    EXPECT_EQ(kernel_.kernel_image.load_paddr, RAM + 0x80000);
    EXPECT_EQ(kernel_.kernel_image.size, file.size());
    EXPECT_EQ(vm()->entry, RAM + 0x80000);
    EXPECT_TRUE(memory(RAM + 0x80000, file.size()) == file);
    EXPECT_TRUE(is_allocated(RAM + 0x80000 + 0x1f000));
    EXPECT_FALSE(is_allocated(RAM + 0x80000 + 0x20000));
}

TEST_F(PlatformSupport, AnImageGoesWhereTheClientSaysAndIsAligned) {
    add_file("kernel", patterned(arm64_image(0x80000, 0x20000)));
    vm()->entry = RAM + 0x10000;
    ASSERT_EQ(vm_load_guest_kernel(vm(), "kernel", RAM, 0, &kernel_), 0);
    EXPECT_EQ(kernel_.kernel_image.load_paddr, RAM + 0x10000);
    vm()->entry = RAM + 0x10004;
    ASSERT_EQ(vm_load_guest_kernel(vm(), "kernel", RAM, 0x8000, &kernel_), 0);
    EXPECT_EQ(kernel_.kernel_image.load_paddr, RAM + 0x18000);
    EXPECT_EQ(kernel_.kernel_image.alignment, 0x8000U);
    EXPECT_EQ(vm()->entry, RAM + 0x18000);
}

TEST_F(PlatformSupport, APackedImageIsUnpacked) {
    const Bytes file = patterned(arm64_image(0x80000, 0, 0, 100'000));
    add_file("kernel.gz", gzip(file));
    ASSERT_EQ(vm_load_guest_kernel(vm(), "kernel.gz", RAM, 0, &kernel_), 0);
    EXPECT_EQ(kernel_.kernel_image.size, file.size());
    EXPECT_TRUE(memory(kernel_.kernel_image.load_paddr, file.size()) == file);
}

TEST_F(PlatformSupport, AnElfFileGoesToItsSegmentsAndTheRestIsCleared) {
    const Bytes dirty(0x2000, 0xee);
    ASSERT_EQ(
        vm_ram_touch(vm(), RAM + 0x4000, dirty.size(), vm_guest_ram_write_callback, const_cast<u8 *>(dirty.data())), 0);
    const Bytes file = elf(0xffff'0000'0000'0010, {{RAM + 0x4000, 0xffff'0000'0000'0000}});
    add_file("kernel", file);
    ASSERT_EQ(vm_load_guest_kernel(vm(), "kernel", RAM, 0, &kernel_), 0);
    EXPECT_EQ(vm()->entry, RAM + 0x4010);
    EXPECT_EQ(memory(RAM + 0x4000, 1)[0], 0xcc);
    EXPECT_TRUE(memory(RAM + 0x5000, 0x1000) == Bytes(0x1000));
}

TEST_F(PlatformSupport, AWrappedKernelGoesWhereItsHeaderSays) {
    add_file("kernel", uimage(2, RAM + 0x8000, RAM + 0x8040));
    ASSERT_EQ(vm_load_guest_kernel(vm(), "kernel", RAM, 0, &kernel_), 0);
    EXPECT_EQ(kernel_.kernel_image.load_paddr, RAM + 0x8000);
    EXPECT_EQ(vm()->entry, RAM + 0x8040);
}

TEST_F(PlatformSupport, KernelsThatCannotBeLoadedAreRefused) {
    Bytes zimage(64);
    boot::store_le<u32>(zimage, 36, 0x016f2818);
    Bytes tree(64);
    store_be32(tree, 0, 0xd00dfeed);
    Bytes android(64);
    put_text(android, 0, "ANDROID!");
    add_file("tree", tree);
    add_file("android", android);
    add_file("empty", {});
    add_file("zimage", zimage);
    add_file("machine", elf(0x10, {{RAM, 0}}, 2, 3));
    add_file("large", arm64_image(0x80000, 0, 0, RAM_SIZE));
    add_file("damaged", {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0, 7, 7, 7, 7, 7, 7, 1, 0, 0, 0});
    Bytes other = uimage(2, RAM + 0x8000, RAM + 0x8040);
    other[29] = 2; // 32-bit Arm
    seal_uimage(other);
    Bytes header = uimage(2, RAM + 0x8000, RAM + 0x8040);
    header[40] ^= 1;
    Bytes contents = uimage(2, RAM + 0x8000, RAM + 0x8040, 5, 0, 10000);
    contents.back() ^= 1;
    add_file("arch", other);
    add_file("header", header);
    add_file("contents", contents);
    add_file("text", Bytes(5000, '\n'));
    add_file("text.gz", gzip(Bytes(5000, '\n')));
    for (const char *name : {"missing", "empty", "zimage", "android", "tree", "machine", "large", "damaged", "arch",
                             "header", "contents", "text", "text.gz"}) {
        EXPECT_EQ(vm_load_guest_kernel(vm(), name, RAM, 0, &kernel_), -1) << name;
        EXPECT_EQ(vm()->entry, 0U) << name;
    }
    add_file("good", arm64_image(0x80000, 0));
    EXPECT_EQ(vm_load_guest_kernel(vm(), "good", RAM, 3, &kernel_), -1) << "an alignment that is none";
    EXPECT_EQ(vm_load_guest_kernel(vm(), "good", RAM, 0, nullptr), -1);
    EXPECT_EQ(vm_load_guest_kernel(nullptr, "good", RAM, 0, &kernel_), -1);
    EXPECT_EQ(vm_load_guest_kernel(vm(), nullptr, RAM, 0, &kernel_), -1);
}

TEST_F(PlatformSupport, ModulesGoWhereTheClientSays) {
    const Bytes archive = patterned(Bytes(5000, '0'));
    add_file("initrd", archive);
    ASSERT_EQ(vm_load_guest_module(vm(), "initrd", RAM + 0x10001, 0x1000, &module_), 0);
    EXPECT_EQ(module_.load_paddr, RAM + 0x11000);
    EXPECT_EQ(module_.size, archive.size());
    EXPECT_TRUE(memory(module_.load_paddr, archive.size()) == archive);
    EXPECT_TRUE(is_allocated(RAM + 0x12000));

    Bytes wrapped = uimage(3, 0, 0);
    add_file("wrapped", wrapped);
    ASSERT_EQ(vm_load_guest_module(vm(), "wrapped", RAM + 0x20000, 0, &module_), 0);
    EXPECT_EQ(module_.size, wrapped.size() - 64);

    Bytes packed = gzip(archive);
    add_file("initrd.gz", packed);
    ASSERT_EQ(vm_load_guest_module(vm(), "initrd.gz", RAM + 0x30000, 0, &module_), 0);
    EXPECT_EQ(module_.size, packed.size()) << "the guest unpacks it";
}

TEST_F(PlatformSupport, ModulesThatAreNoneAreRefused) {
    Bytes tree(64);
    store_be32(tree, 0, 0xd00dfeed);
    store_be32(tree, 4, 65);
    add_file("tree", tree);
    add_file("kernel", arm64_image(0, 0x1000));
    add_file("elf", elf(RAM, {{RAM, RAM}}));
    add_file("module", Bytes(8192));
    for (const char *name : {"tree", "kernel", "elf", "missing"})
        EXPECT_EQ(vm_load_guest_module(vm(), name, RAM, 0, &module_), -1) << name;
    EXPECT_EQ(vm_load_guest_module(vm(), "module", RAM + RAM_SIZE - 0x1000, 0, &module_), -1) << "half of it in RAM";
    EXPECT_EQ(vm_load_guest_module(vm(), "module", ~uintptr_t{0} - 5, 0, &module_), -1);
    EXPECT_EQ(vm_load_guest_module(vm(), "module", RAM, 0, nullptr), -1);
}

// ---------------------------------------------------------------- The device tree

TEST_F(PlatformSupport, TheDeviceTreeSaysWhatTheVmHas) {
    ASSERT_EQ(vm_create_default_irq_controller(vm()), 0);
    const guest_image_t initrd{RAM + 0x100000, 0, 5000};
    const vmm_device_tree_t what{"console=ttyAMA0", &initrd, 0x09000000, 33};
    alignas(8) std::array<u8, 65536> buffer;
    const int size = vmm_generate_device_tree(vm(), &what, buffer.data(), buffer.size());
    ASSERT_GT(size, 0);
    const void *tree = buffer.data();
    ASSERT_EQ(fdt_check_full(tree, static_cast<size_t>(size)), 0);
    const auto text = [tree](const char *path, const char *name) {
        const auto *value = static_cast<const char *>(fdt_getprop(tree, fdt_path_offset(tree, path), name, nullptr));
        return std::string(value == nullptr ? "(none)" : value);
    };
    EXPECT_EQ(text("/chosen", "bootargs"), "console=ttyAMA0");
    EXPECT_EQ(text("/psci", "method"), "smc");
    EXPECT_EQ(text("/memory@40000000", "device_type"), "memory");
    EXPECT_NE(fdt_path_offset(tree, "/cpus/cpu@0"), -FDT_ERR_NOTFOUND);
    EXPECT_EQ(text("/chosen", "stdout-path"), "/pl011@9000000");
    EXPECT_GE(fdt_path_offset(tree, "/pl011@9000000"), 0);

    ASSERT_EQ(vmm_load_device_tree(vm(), &what, RAM + 0x8000, &module_), 0);
    EXPECT_EQ(module_.load_paddr, RAM + 0x8000);
    EXPECT_TRUE(is_allocated(RAM + 0x8000));
    EXPECT_EQ(memory(RAM + 0x8000, 1)[0], 0xd0);
}

TEST_F(PlatformSupport, ADeviceTreeNeedsAnInterruptControllerAndRoom) {
    const vmm_device_tree_t what{};
    alignas(8) std::array<u8, 65536> buffer;
    EXPECT_EQ(vmm_generate_device_tree(vm(), &what, buffer.data(), buffer.size()), -1);
    ASSERT_EQ(vm_create_default_irq_controller(vm()), 0);
    EXPECT_EQ(vmm_generate_device_tree(vm(), &what, buffer.data(), 200), -1);
    EXPECT_EQ(vmm_generate_device_tree(vm(), &what, buffer.data() + 4, 60000), -1);
    const vmm_device_tree_t private_irq{nullptr, nullptr, 0x09000000, 27};
    EXPECT_EQ(vmm_generate_device_tree(vm(), &private_irq, buffer.data(), buffer.size()), -1);
    EXPECT_EQ(vmm_load_device_tree(vm(), &what, DEVICE, &module_), -1) << "no RAM there";
    EXPECT_GT(vmm_generate_device_tree(vm(), &what, buffer.data(), buffer.size()), 0);
}

TEST_F(PlatformSupport, CpuNodesAreAddedToAClientsTree) {
    ASSERT_NE(vm_create_vcpu(vm(), 0), nullptr);
    std::array<u8, 4096> tree;
    ASSERT_EQ(fdt_create_empty_tree(tree.data(), static_cast<int>(tree.size())), 0);
    ASSERT_EQ(fdt_generate_plat_vcpu_node(vm(), tree.data()), 0);
    const int second = fdt_path_offset(tree.data(), "/cpus/cpu@1");
    ASSERT_GE(second, 0);
    const auto *reg = static_cast<const fdt32_t *>(fdt_getprop(tree.data(), second, "reg", nullptr));
    ASSERT_NE(reg, nullptr);
    EXPECT_EQ(fdt32_to_cpu(*reg), 1U);
    int size = 0;
    const void *method = fdt_getprop(tree.data(), fdt_path_offset(tree.data(), "/psci"), "method", &size);
    ASSERT_NE(method, nullptr);
    EXPECT_STREQ(static_cast<const char *>(method), "smc");
    EXPECT_LT(fdt_generate_plat_vcpu_node(vm(), tree.data()), 0) << "they are there already";
    std::array<u8, 128> small;
    ASSERT_EQ(fdt_create_empty_tree(small.data(), static_cast<int>(small.size())), 0);
    EXPECT_LT(fdt_generate_plat_vcpu_node(vm(), small.data()), 0);
    EXPECT_LT(fdt_generate_plat_vcpu_node(vm(), nullptr), 0);
}

} // namespace
} // namespace sel4vm::test
