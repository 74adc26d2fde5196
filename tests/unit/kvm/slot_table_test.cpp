// SPDX-License-Identifier: BSD-2-Clause
//
// The table against a kernel that keeps slots as KVM does: it takes only whole ones, refuses what overlaps, and neither moves nor protects one.
#include <hosts/kvm/slot_table.hpp>

#include <gtest/gtest.h>
#include <map>
#include <random>

namespace sel4vm::kvm {
namespace {

GpaRange range(u64 first, u64 size) { return *GpaRange::make(Gpa{first}, size); }

constexpr u64 kPage = kPageBytes;

struct Page {
    u64 window;
    bool read_only;
    friend bool operator==(const Page &, const Page &) = default;
};

class Kernel {
public:
    void take(const SlotRequest &request) {
        const auto found = slots_.find(request.slot);
        if (request.memory_size == 0) {
            ASSERT_NE(found, slots_.end()) << "a slot that is not there is removed";
            slots_.erase(found);
            return;
        }
        ASSERT_EQ(found, slots_.end()) << "a slot that is there is made";
        for (const auto &[number, slot] : slots_)
            ASSERT_TRUE(request.guest_phys_addr + request.memory_size <= slot.guest_phys_addr ||
                        slot.guest_phys_addr + slot.memory_size <= request.guest_phys_addr)
                << "slots overlap";
        slots_[request.slot] = request;
    }
    template <class Requests>
    void take_all(const Requests &requests) {
        for (const SlotRequest &request : requests)
            take(request);
    }
    [[nodiscard]] std::map<u64, Page> pages() const {
        std::map<u64, Page> pages;
        for (const auto &[number, slot] : slots_) {
            for (u64 done = 0; done < slot.memory_size; done += kPage)
                pages[slot.guest_phys_addr + done] = {slot.userspace_addr + done, (slot.flags & KVM_MEM_READONLY) != 0};
        }
        return pages;
    }
    [[nodiscard]] usize count() const { return slots_.size(); }

private:
    std::map<u32, SlotRequest> slots_;
};

TEST(KvmSlotTable, AddedMemoryIsOneRequest) {
    SlotTable table(4);
    const auto request = table.add(range(0x4000'0000, 4 * kPage), 0x7000'0000, Protection::read_write_execute);
    ASSERT_TRUE(request);
    EXPECT_EQ(request->guest_phys_addr, 0x4000'0000u);
    EXPECT_EQ(request->memory_size, 4 * kPage);
    EXPECT_EQ(request->userspace_addr, 0x7000'0000u);
    EXPECT_EQ(request->flags, 0u);
    const auto rom = table.add(range(0, kPage), 0x1000, Protection::read_execute);
    ASSERT_TRUE(rom);
    EXPECT_EQ(rom->flags, u32{KVM_MEM_READONLY});
    EXPECT_NE(rom->slot, request->slot);
}

TEST(KvmSlotTable, WhatOverlapsOrDoesNotFitIsRefused) {
    SlotTable table(2);
    ASSERT_TRUE(table.add(range(4 * kPage, 4 * kPage), 0, Protection::read_write));
    for (const u64 first : {1 * kPage, 4 * kPage, 5 * kPage, 7 * kPage}) {
        const auto refused = table.add(range(first, 4 * kPage), 0, Protection::read_write);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().kind, HostErrorKind::invalid);
    }
    ASSERT_TRUE(table.add(range(0, 4 * kPage), 0, Protection::read_write));
    const auto full = table.add(range(8 * kPage, kPage), 0, Protection::read_write);
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().kind, HostErrorKind::out_of_memory);
}

TEST(KvmSlotTable, WhatTheKernelRefusedCanBeAskedForAgain) {
    SlotTable table(1);
    const auto first = table.add(range(0, kPage), 0, Protection::read_write);
    ASSERT_TRUE(first);
    table.forget(*first);
    EXPECT_EQ(table.size(), 0u);
    EXPECT_TRUE(table.add(range(0, kPage), 0, Protection::read_write));
}

TEST(KvmSlotTable, AHoleLeavesBothEndsWhereTheyWere) {
    SlotTable table(4);
    Kernel kernel;
    kernel.take(*table.add(range(0, 8 * kPage), 0x10'0000, Protection::read_write));
    const auto requests = table.remove(range(3 * kPage, 2 * kPage));
    ASSERT_TRUE(requests);
    kernel.take_all(*requests);
    const auto pages = kernel.pages();
    EXPECT_EQ(pages.size(), 6u);
    EXPECT_EQ(pages.at(2 * kPage).window, 0x10'0000 + 2 * kPage);
    EXPECT_FALSE(pages.contains(3 * kPage));
    EXPECT_FALSE(pages.contains(4 * kPage));
    EXPECT_EQ(pages.at(5 * kPage).window, 0x10'0000 + 5 * kPage);
}

TEST(KvmSlotTable, NothingIsChangedWhenAHoleNeedsASlotTooMany) {
    SlotTable table(1);
    ASSERT_TRUE(table.add(range(0, 8 * kPage), 0, Protection::read_write));
    const auto refused = table.remove(range(3 * kPage, kPage));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, HostErrorKind::out_of_memory);
    EXPECT_FALSE(table.add(range(3 * kPage, kPage), 0, Protection::read_write)) << "it is mapped as before";
    EXPECT_TRUE(table.remove(range(0, 4 * kPage))) << "an end needs none";
}

TEST(KvmSlotTable, ProtectionOfAPartLeavesTheRest) {
    SlotTable table(4);
    Kernel kernel;
    kernel.take(*table.add(range(0, 4 * kPage), 0x10'0000, Protection::read_write));
    auto requests = table.protect(range(kPage, kPage), Protection::read_only);
    ASSERT_TRUE(requests);
    kernel.take_all(*requests);
    EXPECT_EQ(kernel.pages().at(0), (Page{0x10'0000, false}));
    EXPECT_EQ(kernel.pages().at(kPage), (Page{0x10'0000 + kPage, true}));
    EXPECT_EQ(kernel.pages().at(2 * kPage), (Page{0x10'0000 + 2 * kPage, false}));
    // What is as it should be is left alone.
    requests = table.protect(range(kPage, kPage), Protection::read_execute);
    ASSERT_TRUE(requests);
    EXPECT_TRUE(requests->empty());
    const auto refused = table.protect(range(3 * kPage, 2 * kPage), Protection::read_only);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, HostErrorKind::invalid);
}

TEST(KvmSlotTable, AWindowIsFoundAcrossSlotsThatFollowEachOther) {
    SlotTable table(4);
    ASSERT_TRUE(table.add(range(0, 2 * kPage), 0x10'0000, Protection::read_write));
    ASSERT_TRUE(table.add(range(2 * kPage, kPage), 0x10'0000 + 2 * kPage, Protection::read_write));
    ASSERT_TRUE(table.add(range(3 * kPage, kPage), 0x90'0000, Protection::read_write));
    EXPECT_EQ(table.window_of(Gpa{8}, 8), 0x10'0008u);
    EXPECT_EQ(table.window_of(Gpa{2 * kPage - 4}, 8), 0x10'0000u + 2 * kPage - 4);
    EXPECT_EQ(table.window_of(Gpa{3 * kPage}, kPage), 0x90'0000u);
    EXPECT_EQ(table.window_of(Gpa{3 * kPage - 4}, 8), std::nullopt) << "not one piece";
    EXPECT_EQ(table.window_of(Gpa{4 * kPage - 4}, 8), std::nullopt) << "not mapped to its end";
    EXPECT_EQ(table.window_of(Gpa{8 * kPage}, 1), std::nullopt);
}

TEST(KvmSlotTable, AnyCallsLeaveTheKernelWithTheSamePagesAsASimpleModel) {
    std::mt19937 random(1);
    const auto up_to = [&](u64 limit) { return std::uniform_int_distribution<u64>(0, limit)(random); };
    for (unsigned round = 0; round < 200; ++round) {
        SlotTable table(12);
        Kernel kernel;
        std::map<u64, Page> model;
        for (unsigned step = 0; step < 40; ++step) {
            const u64 first = up_to(30) * kPage;
            const u64 size = (1 + up_to(7)) * kPage;
            const bool read_only = up_to(1) == 0;
            const Protection protection = read_only ? Protection::read_only : Protection::read_write;
            const auto inside = [&] {
                usize count = 0;
                for (u64 at = first; at < first + size; at += kPage)
                    count += model.count(at);
                return count;
            }();
            switch (up_to(2)) {
            case 0: {
                const u64 window = up_to(1000) * kPage;
                const auto request = table.add(range(first, size), window, protection);
                ASSERT_FALSE(request && inside > 0);
                if (!request)
                    break;
                kernel.take(*request);
                for (u64 done = 0; done < size; done += kPage)
                    model[first + done] = {window + done, read_only};
                break;
            }
            case 1: {
                const auto requests = table.remove(range(first, size));
                if (!requests)
                    break;
                kernel.take_all(*requests);
                model.erase(model.lower_bound(first), model.lower_bound(first + size));
                break;
            }
            default: {
                const auto requests = table.protect(range(first, size), protection);
                ASSERT_FALSE(requests && inside < size / kPage);
                if (!requests)
                    break;
                kernel.take_all(*requests);
                for (u64 done = 0; done < size; done += kPage)
                    model[first + done].read_only = read_only;
            }
            }
            ASSERT_EQ(kernel.pages(), model);
            ASSERT_EQ(kernel.count(), table.size());
            ASSERT_LE(kernel.count(), 12u);
        }
    }
}

} // namespace
} // namespace sel4vm::kvm
