// SPDX-License-Identifier: BSD-2-Clause
//
// The parts of a GIC's state that have different holders (gic_locks.hpp), and SGIs that are posted without holding any: docs/threading.md, "The
// GIC's parts".
// One vCPU on its executor. Two others send it an SGI each, one of them twice; a device raises a shared interrupt; another vCPU reads the registers of
// its private interrupts. The guest ends when everything has come, and waits until then: whoever hangs is an invalid end state.
// What the port and Vm::handle do is as in waiting.pml.
//
// stands for: src/sel4vm/dev/arm/gic/gic_parts.cpp Gic::hold Gic::hold_several Gic::let_go Gic::let_go_of_several Gic::send_rest
// stands for: src/sel4vm/dev/arm/gic/irq_machine_parts.cpp IrqMachine::join_shared IrqMachine::leave_shared IrqMachine::collect_posted
// stands for: src/sel4vm/dev/arm/gic/irq_machine.hpp needs_shared
// stands for: src/sel4vm/dev/arm/gic/sgi_inbox.hpp post take
// stands for: src/sel4vm/dev/arm/gic/irq_machine.cpp change_shared_candidates
//
// mutant: ASKS_BEFORE_IT_POSTS    the sender asks the vCPU to look before there is something to see
// mutant: TAKES_IN_TWO_STEPS      the inbox is read, and emptied afterwards
// mutant: MARKS_LATE              the vCPU is asked to look before the word says that it has to do with shared interrupts
// mutant: KEEPS_TO_ITS_OWN        an exit never asks for the shared part
// mutant: ENTERS_UNLOCKED         who collects for another vCPU does not hold its part

#define FIRST  1
#define SECOND 2
#define SHARED 4

mtype = { ready, blocked };

mtype port = ready;
bit kick_due;
bit in_exit;
bit needs_sync = 1;

bit own_part;    /* held */
bit shared_part;
byte inbox;
byte pending;      /* private, in the vCPU's part */
bit candidate;     /* in the shared part */
bit shared_words;  /* changes with it, is read without */
byte loaded;       /* list registers */
byte sent;         /* how often FIRST was sent, and how often it came */
byte came;
byte taken;
bit looked;        /* at its registers */

#define OVER (taken == (FIRST | SECOND | SHARED) && sent == 2 && inbox == 0 && pending == 0 && loaded == 0 && looked)

inline lock(part) { atomic { part == 0 -> part = 1 } }
inline unlock(part) { part = 0 }

inline ask() {
    needs_sync = 1;
    if
    :: !in_exit ->
        atomic {
            kick_due = 1;
            if
            :: port == blocked -> port = ready
            :: else
            fi
        }
    :: else
    fi
}

inline collect() {
#ifdef TAKES_IN_TWO_STEPS
    got = inbox;
    inbox = 0;
#else
    atomic { got = inbox; inbox = 0 }
#endif
    if
    :: got != 0 -> before = pending; pending = before | got
    :: else
    fi;
    got = 0;
    before = 0
}

inline post(sgi) {
#ifdef ASKS_BEFORE_IT_POSTS
    ask();
    inbox = inbox | sgi
#else
    atomic { inbox = inbox | sgi }
    ask()
#endif
}

active proctype first() {
    atomic { sent++ }
    post(FIRST);
    (taken & FIRST) && came == 1; /* it has come: so the next one is another */
    atomic { sent++ }
    post(FIRST)
}

active proctype second() { post(SECOND) }

active proctype device() {
    lock(shared_part);
    candidate = 1;
#ifndef MARKS_LATE
    shared_words = 1;
#endif
    unlock(shared_part);
    ask();
#ifdef MARKS_LATE
    shared_words = 1
#endif
}

/* Another vCPU's read of ISPENDR: everything is held. It asks the vCPU to look, too, but need not: who has posted does. */
active proctype reader() {
    byte got, before;
#ifndef ENTERS_UNLOCKED
    lock(own_part);
#endif
    lock(shared_part);
    collect();
    unlock(shared_part);
#ifndef ENTERS_UNLOCKED
    unlock(own_part);
#endif
    looked = 1
}

/* Gic::sync() and has_deliverable(): hold(), service(), let_go(). */
inline serve() {
    lock(own_part);
    collect();
    held_shared = 0;
#ifndef KEEPS_TO_ITS_OWN
    if
    :: shared_words -> lock(shared_part); held_shared = 1
    :: else
    fi;
#endif
    before = pending;
    pending = 0;
    loaded = loaded | before;
    before = 0;
    if
    :: held_shared && candidate -> candidate = 0; shared_words = 0; loaded = loaded | SHARED
    :: else
    fi;
    if
    :: held_shared -> unlock(shared_part)
    :: else
    fi;
    held_shared = 0;
    unlock(own_part)
}

active proctype executor() {
    byte got, before;
    bit waits, blocks, asked, held_shared;
    do
    :: OVER -> break
    :: atomic { port == ready && kick_due -> kick_due = 0; waits = 0 }
        goto exit
    :: atomic { port == ready && !kick_due && loaded != 0 ->
            if
            :: loaded & FIRST -> came++; assert(came <= sent)
            :: else
            fi;
            assert((loaded & taken & ~FIRST) == 0);
            taken = taken | loaded;
            loaded = 0
        }
    :: port == ready && !kick_due && loaded == 0 && !OVER -> waits = 1;
        goto exit
    :: false ->
exit:
        in_exit = 1;
        skip;
        in_exit = 0;
        asked = needs_sync;
        blocks = waits;
        if
        :: asked -> needs_sync = 0; serve()
        :: else
        fi;
        if
        :: blocks ->
            serve();
            if
            :: loaded != 0 -> blocks = 0
            :: else
            fi
        :: else
        fi;
        if
        :: blocks ->
            atomic {
                if
                :: kick_due
                :: else -> port = blocked
                fi
            }
        :: else
        fi
    od
}
