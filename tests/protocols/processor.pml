// SPDX-License-Identifier: BSD-2-Clause
//
// A CPU of the el2 host, and what others ask of it: the inbox of its scheduler, the word that says that it shall look around, the call by an SGI,
// and its two ways to sleep. Two vCPUs on it; two other CPUs do three things, whichever: kick a vCPU,
// wake the executor, or set its timeout.
// What was asked for is `owed` until it is served. The CPU may stay in a guest, or asleep, for ever only when nothing is owed.
//
// The stores that code does with memory_order_relaxed before a fence are held back: others see `attention` as it was until the fence
// at the latest. Everything else here is at least acquire and release on words that are read again.
//
// stands for: src/hosts/el2/vcpu/scheduling.cpp Processor::call_attention Processor::queue_request Processor::wake Processor::set_timeout
// stands for: src/hosts/el2/vcpu/scheduling.cpp Processor::leave_running Processor::post Processor::read_inbox Processor::serve_requests
// stands for: src/hosts/el2/vcpu/scheduling.cpp Processor::choose Processor::deliver_notification Processor::deliver_due
// stands for: src/hosts/el2/vcpu/scheduling.cpp Processor::program_timer
// stands for: src/hosts/el2/vcpu/physical_interrupts.cpp Processor::wait_for_interrupt Processor::wait_for_others
// stands for: src/hosts/el2/vcpu/physical_interrupts.cpp Processor::take_interrupt Processor::take_own_kick Processor::take_host_interrupt
// stands for: src/hosts/el2/vcpu/vcpu.cpp Vcpu::request
// stands for: src/hosts/el2/vcpu/exit_path.hpp Processor::resume_here
// stands for: src/hosts/el2/vcpu/processor.cpp Processor::resume_slowly
//
// mutant: CHOOSES_WITHOUT_FENCE     choose() looks into the inbox before others see that attention is not called any more
// mutant: WAITS_WITHOUT_FENCE       the same in wait_for_others()
// mutant: TAKES_WITHOUT_FENCE       the same in take_own_kick()
// mutant: CALLS_FIRST               queue_request() calls attention before the vCPU is in the inbox
// mutant: LINKS_LATE                read_inbox() goes on to the next vCPU by a link that may be another inbox's by now
// mutant: TAKES_ALL                 take_own_kick() does not look whether the executor was woken, too
// mutant: KEEPS_OLD_TIMEOUT         take_own_kick() does not look at the timeout
// mutant: FORGETS_TO_LOOK           take_own_kick() does not call attention again when there is more to do
// mutant: QUEUES_TWICE              a vCPU that is in the inbox is queued again

#define NONE 2 /* no vCPU */
#define KICK 1   /* however many: they are counted */
#define QUEUED 2 /* the word is not 0 */

bit attention = 1;
bit held_back; /* a store of 0 into it that others do not see yet */
bit sgi;
byte inbox = NONE;
byte next[2] = NONE;
byte requests[2];
bit woken, alarm, planned;

bit owed_kick[2];
bit owed_wake, owed_timeout;
byte done; /* callers that have asked for all that they will ask */
#define NOTHING_OWED (done == 2 && !owed_kick[0] && !owed_kick[1] && !owed_wake && !owed_timeout)

/* ---- the CPU's own accesses of attention */
inline attention_off() { atomic { held_back = attention } }
inline attention_on() { atomic { held_back = 0; attention = 1 } }
#define ATTENTION (attention && !held_back)
inline fence() {
    atomic {
        if
        :: held_back -> held_back = 0; attention = 0
        :: else
        fi
    }
}

/* ---- from another CPU */
inline call_attention() {
    atomic {
        if
        :: held_back -> held_back = 0; attention = 0 /* seen by now */
        :: true
        fi;
        if
        :: attention == 0 -> attention = 1; must_call = 1
        :: else -> must_call = 0
        fi
    }
    if
    :: must_call -> sgi = 1
    :: else
    fi
}

inline request(v) {
    atomic { owed_kick[v] = 1; before = requests[v]; requests[v] = KICK | QUEUED }
    if
#ifdef QUEUES_TWICE
    :: true ->
#else
    :: (before & QUEUED) == 0 ->
#endif
#ifdef CALLS_FIRST
        call_attention();
#endif
        do
        :: atomic { head = inbox; next[v] = head }
            atomic {
                if
                :: inbox == head -> inbox = v; break
                :: else
                fi
            }
        od;
#ifndef CALLS_FIRST
        call_attention();
#endif
    :: else
    fi
}

proctype caller(byte calls) {
    byte before, head, made, which;
    bit must_call;
    do
    :: made == calls -> done++; break
    :: made < calls ->
        if
        :: goto kicks
        :: calls > 1 -> which = 1; goto kicks /* the vCPUs are alike: one caller knows the first alone */
        :: atomic { owed_wake = 1; woken = 1 } call_attention()
        :: atomic { owed_timeout = (alarm -> owed_timeout : 1); alarm = 1 } call_attention()
        fi;
        d_step { must_call = 0; made++ }
    :: false ->
kicks:
        request(which);
        skip;
        d_step { before = 0; head = 0; which = 0; must_call = 0; made++ }
    od
}

init {
    run caller(1);
    run caller(2)
}

/* ---- the CPU */
active proctype processor() {
    bit is_blocked[2], due[2];
    bit takes_own;
    byte first = NONE;
    byte following = NONE;
    byte current, asked; /* current: who runs, or ran last */

look: /* choose() */
    attention_off();
#ifndef CHOOSES_WITHOUT_FENCE
    fence();
#endif
    if
    :: inbox != NONE ->
        atomic { first = inbox; inbox = NONE }
        do
        :: first == NONE -> break
        :: else ->
            following = next[first];
            atomic { asked = requests[first]; requests[first] = 0 }
            if
            :: asked & KICK -> due[first] = 1; attention_on(); is_blocked[first] = 0
            :: else -> assert(false) /* in the inbox for nothing */
            fi;
#ifdef LINKS_LATE
            following = next[first];
#endif
            first = following
        od;
        following = NONE; /* forgotten, as what follows: fewer states */
        asked = 0
    :: else
    fi;
    if
    :: woken -> woken = 0; owed_wake = 0; attention_on(); goto look /* the executor looks at all VMs */
    :: else
    fi;
    if
    :: !is_blocked[current] && due[current]
    :: !is_blocked[0] && !(due[current] && !is_blocked[current]) -> current = 0
    :: !is_blocked[1] && !(due[current] && !is_blocked[current]) -> current = 1
    :: is_blocked[0] && is_blocked[1] -> goto nobody
    fi;
    if
    :: due[current] -> attention_on(); due[current] = 0; owed_kick[current] = 0; goto answer
    :: else
    fi;
    planned = alarm;
    if
    :: planned -> owed_timeout = 0
    :: else
    fi;
    if
    :: ATTENTION -> goto look
    :: else -> goto guest
    fi;

nobody:
    if
    :: true -> /* it waits for something of its own, too */
        planned = alarm;
        if
        :: planned -> owed_timeout = 0
        :: else
        fi;
        if
        :: ATTENTION -> goto look
        :: else -> goto sleep
        fi
    :: !alarm -> attention_on(); goto wait_for_others /* EventKind::idle */
    fi;
sleep:
    if
    :: sgi -> sgi = 0; attention_on(); goto look
    :: NOTHING_OWED -> goto over
    fi;

wait_for_others:
    attention_off();
#ifndef WAITS_WITHOUT_FENCE
    fence();
#endif
    if
    :: woken || inbox != NONE || alarm -> attention_on(); goto look
    :: else
    fi;
    if
    :: ATTENTION -> goto wait_for_others
    :: else
    fi;
    if
    :: sgi -> sgi = 0; attention_on(); goto wait_for_others
    :: NOTHING_OWED -> goto over
    fi;

guest: /* until it is interrupted, which may be never, or exits by itself */
    if
    :: goto answer
    :: true
    fi;
    if
    :: sgi -> sgi = 0
    :: due[1 - current] -> current = 1 - current; attention_on(); goto look /* the end of its slice */
    :: NOTHING_OWED -> goto over
    fi;

    /* take_own_kick() */
    attention_off();
#ifndef TAKES_WITHOUT_FENCE
    fence();
#endif
    first = inbox;
    takes_own = 0;
    if
    :: first == current && next[first] == NONE && requests[first] == (KICK | QUEUED) -> takes_own = 1
    :: else
    fi;
#ifndef TAKES_ALL
    if
    :: woken -> takes_own = 0
    :: else
    fi;
#endif
#ifndef KEEPS_OLD_TIMEOUT
    if
    :: alarm != planned -> takes_own = 0
    :: else
    fi;
#endif
    if
    :: takes_own ->
        atomic {
            if
            :: inbox == first -> inbox = NONE
            :: else -> takes_own = 0
            fi
        }
    :: else
    fi;
    if
    :: takes_own -> atomic { requests[first] = 0; owed_kick[first] = 0; first = NONE; takes_own = 0 }
        goto answer
#ifdef FORGETS_TO_LOOK
    :: else
#else
    :: else -> attention_on()
#endif
    fi;
    first = NONE;
    if
    :: ATTENTION -> goto look
    :: else -> goto guest
    fi;

answer: /* to an exit of `current`: it goes on, or waits */
    if
    :: true
    :: is_blocked[current] = 1; attention_on()
    fi;
    if
    :: ATTENTION -> goto look
    :: else -> goto guest
    fi;

over:
    skip
}
