// SPDX-License-Identifier: BSD-2-Clause
//
// Turns of devices that a test gives, instead of a vCPU: run() until nobody wants one, step() a single one.
#pragma once

#include <sel4vm/vm/device_work.hpp>

#include <algorithm>
#include <vector>

namespace sel4vm::test {

class ManualWork final : public WorkTurns {
public:
    bool add(DeviceWork &work) override {
        if (works_.size() == room)
            return false;
        works_.push_back(&work);
        return true;
    }
    void ask(DeviceWork &work, VcpuId) override { work.want(); }
    void ask(DeviceWork &work) override { work.want(); }
    void withdraw(DeviceWork &work) override { work.forget(); }

    [[nodiscard]] bool any_wanted() const {
        return std::any_of(works_.begin(), works_.end(), [](const DeviceWork *work) { return work->is_wanted(); });
    }
    /// So many bytes for those that want them; what is left of them.
    u64 step(u64 bytes = 64 * kKiB) {
        for (bool any = true; any && bytes > 0;) {
            any = false;
            for (DeviceWork *work : works_) {
                if (bytes == 0 || !work->take())
                    continue;
                any = true;
                if (work->work(bytes))
                    work->want();
                bytes -= std::min<u64>(bytes, 64);
            }
        }
        return bytes;
    }
    void run() {
        while (any_wanted())
            step();
    }
    usize room = 64;

private:
    std::vector<DeviceWork *> works_;
};

} // namespace sel4vm::test
