// SPDX-License-Identifier: BSD-2-Clause
//
// A VM of the C interface on the fake host, for the tests of libsel4vmmplatsupport: its vCPUs execute small programs, and its files and devices
// are the test's.
#pragma once

#include <bindings/fake/host.hpp>
#include <suite/guest.h>
#include <support/kernel_files.hpp>

#include <sel4vmmplatsupport/device_utils.h>
#include <sel4vmmplatsupport/guest_image.h>
#include <sel4vmmplatsupport/guest_memory_util.h>

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

namespace sel4vm::test {

class PlatformSupport : public testing::Test {
protected:
    PlatformSupport() {
        EXPECT_EQ(vm_host_open(&host_), 0);
        suite_.host = &host_;
        suite_.failed = [](conformance_t *, const char *file, int line, const char *what) {
            ADD_FAILURE_AT(file, line) << what;
        };
        before_ = fake().live();
        EXPECT_EQ(guest_make(&guest_, &suite_, nullptr), 1);
    }
    ~PlatformSupport() override {
        guest_destroy(&guest_);
        EXPECT_EQ(fake().live(), before_) << "something was not given back";
        vm_host_close(&host_);
    }
    PlatformSupport(const PlatformSupport &) = delete;
    PlatformSupport &operator=(const PlatformSupport &) = delete;

    fake::Host &fake() { return fake::Host::of(host_); }
    vm_t *vm() { return &guest_.vm; }
    void add_file(const std::string &name, const Bytes &bytes) {
        fake().add_file(name, std::string(bytes.begin(), bytes.end()));
    }
    Bytes memory(uintptr_t at, size_t size) {
        Bytes bytes(size);
        EXPECT_EQ(vm_ram_touch(vm(), at, size, vm_guest_ram_read_callback, bytes.data()), 0);
        return bytes;
    }
    /// Runs a program to its end; it finds DEVICE in x1 and RESULTS in x2.
    void run(std::initializer_list<uint32_t> body) {
        std::vector<uint32_t> code{A64_LOAD(1u, DEVICE), A64_LOAD(2u, RESULTS)};
        code.insert(code.end(), body);
        code.insert(code.end(), {A64_POWER_OFF});
        guest_load(&guest_, CODE, code.data(), code.size());
        EXPECT_TRUE(guest_begin(&guest_) && guest_finish(&guest_));
    }
    u64 result(unsigned index) { return guest_result(&guest_, index); }
    bool is_allocated(uintptr_t at) {
        for (int i = 0; i < vm()->mem.num_ram_regions; ++i) {
            const vm_ram_region &region = vm()->mem.ram_regions[i];
            if (at >= region.start && at - region.start < region.size)
                return region.allocated != 0;
        }
        return false;
    }
    static device device_at(seL4_Word base, seL4_Word size) { return {"device", base, size, nullptr, nullptr}; }

    vm_host_t host_{};
    conformance_t suite_{};
    test_guest_t guest_{};
    size_t before_ = 0;
    guest_kernel_image_t kernel_{};
    guest_image_t module_{};
};

} // namespace sel4vm::test
