// SPDX-License-Identifier: BSD-2-Clause
//
// A kernel in a process, as far as the seL4 host's calls can tell: capabilities with types, objects with states, and
// refusals like the real kernel's. It runs nothing: a test plays the guest by queueing messages. `violation` remembers the first
// call that the real kernel would have refused and the host does not expect to be refused.
#pragma once

extern "C" {
#include <sel4/sel4.h>
#include <simple/simple.h>
#include <vka/capops.h>
#include <vka/object.h>
#include <vka/vka.h>
#include <vspace/vspace.h>
}

#include <array>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace sel4vm::test {

struct KernelObject {
    seL4_Word type = 0;
    seL4_Word size_bits = 0;
    // TCB
    std::array<seL4_Word, 36> registers{};
    bool blocked_on_reply = false;
    bool running = false;
    // VCPU
    std::map<int, seL4_Word> vcpu_registers;
    std::map<seL4_Word, seL4_Word> list_registers; // index -> message word
    bool timer_masked = false;
    seL4_CPtr tcb = 0;
    // frame, table
    std::vector<unsigned char> *bytes = nullptr;
};

struct Capability {
    KernelObject *object = nullptr;
    seL4_Word badge = 0;
    seL4_Word mapped_at = ~seL4_Word{0};
};

/// The one that the C calls reach while it lives.
class KernelDouble {
public:
    KernelDouble();
    ~KernelDouble();
    KernelDouble(const KernelDouble &) = delete;
    KernelDouble &operator=(const KernelDouble &) = delete;

    struct Message {
        seL4_Word badge;
        seL4_Word label;
        std::vector<seL4_Word> words;
        seL4_CPtr sender; ///< a TCB that waits for the answer, or 0
    };
    std::deque<Message> queue;
    std::vector<std::vector<seL4_Word>> replies; ///< words of each answer
    unsigned list_register_count = 4;
    unsigned calls = 0; ///< system calls, for their number
    std::string violation;

    seL4_CPtr make(seL4_Word type, seL4_Word size_bits);
    KernelObject *find(seL4_CPtr cap, seL4_Word type);
    Capability *slot(seL4_CPtr cap);
    void violate(const char *what);

    std::map<seL4_CPtr, Capability> slots;
    std::vector<KernelObject *> objects;
    seL4_CPtr next_slot = 1;
    seL4_CPtr last_sender = 0;
    seL4_IPCBuffer buffer{};
    vka_t vka{};
};

} // namespace sel4vm::test
