// The contract of leases and holds (SAFETY F7).
import { aManifest, MANIFEST_CHAIN, MANIFEST_VM } from "../support/builders/manifest.ts";
import { type ContractTest, rejectsWith } from "./repository-contract.ts";
import { LEASE, publishOn } from "./repository-harness.ts";

const expiry = (test: ContractTest): void => {
	test("lease › is refused at once while another host holds it, with that host's id", async (t) => {
		const { a, b, clock } = t.context.harness;
		await a.repository.lease(MANIFEST_VM, "host-a");
		const error = await rejectsWith(t, b.repository.lease(MANIFEST_VM, "host-b"), "LEASE_HELD");
		t.is(error.details["holder"], "host-a");
		clock.advance(LEASE - 1);
		await rejectsWith(t, b.repository.lease(MANIFEST_VM, "host-b"), "LEASE_HELD");
	});
	test("lease › expires when its counter has stood still for the lease time as the other host saw it", async (t) => {
		const { a, b, clock } = t.context.harness;
		const mine = await a.repository.lease(MANIFEST_VM, "host-a");
		clock.advance(10 * LEASE);
		await rejectsWith(t, b.repository.lease(MANIFEST_VM, "host-b"), "LEASE_HELD");
		clock.advance(LEASE);
		const taken = await b.repository.lease(MANIFEST_VM, "host-b");
		t.true(taken.fencing > mine.fencing);
		await rejectsWith(t, mine.check(), "LEASE_HELD");
		await mine.release();
		await taken.check();
	});
	test("lease › does not expire while it is renewed", async (t) => {
		const { a, b, clock } = t.context.harness;
		const mine = await a.repository.lease(MANIFEST_VM, "host-a");
		for (let turn = 0; turn < 5; turn += 1) {
			await rejectsWith(t, b.repository.lease(MANIFEST_VM, "host-b"), "LEASE_HELD");
			clock.advance(LEASE - 1);
			a.renew();
			await mine.check();
		}
		clock.advance(2);
		await rejectsWith(t, b.repository.lease(MANIFEST_VM, "host-b"), "LEASE_HELD");
	});
	test("lease › is renewed by its check when the timer had no turn for the lease time", async (t) => {
		const { a, b, clock } = t.context.harness;
		const mine = await a.repository.lease(MANIFEST_VM, "host-a");
		await rejectsWith(t, b.repository.lease(MANIFEST_VM, "host-b"), "LEASE_HELD");
		clock.advance(LEASE);
		await mine.check();
		await rejectsWith(t, b.repository.lease(MANIFEST_VM, "host-b"), "LEASE_HELD");
	});
};

const numbers = (test: ContractTest): void => {
	test("lease › can be taken at once after its release, and its number grows", async (t) => {
		const { a, b } = t.context.harness;
		const fencings: number[] = [];
		for (let turn = 0; turn < 12; turn += 1) {
			const host = turn % 2 === 0 ? a : b;
			const lease = await host.repository.lease(MANIFEST_VM, turn % 2 === 0 ? "host-a" : "host-b");
			fencings.push(lease.fencing);
			await lease.check();
			await lease.release();
			await lease.release();
		}
		t.deepEqual(
			fencings,
			fencings.toSorted((x, y) => x - y),
		);
		t.is(new Set(fencings).size, 12);
	});
	test("lease › is taken again at once by its own host after a crash, and the old one is void", async (t) => {
		const { a } = t.context.harness;
		const old = await a.repository.lease(MANIFEST_VM, "host-a");
		const next = await a.repository.lease(MANIFEST_VM, "host-a");
		t.is(next.fencing, old.fencing + 1);
		await rejectsWith(t, old.check(), "LEASE_HELD");
		await old.release();
		a.renew();
		await next.check();
	});
	test("lease › starts above every number that the VM's manifests record", async (t) => {
		const { a } = t.context.harness;
		const { id, name } = a.repository;
		await publishOn(t.context.harness, {
			...aManifest({ identity: { fencing: 41 } }),
			repository: { id, name },
		});
		t.is((await a.repository.lease(MANIFEST_VM, "host-a")).fencing, 42);
	});
	test("lease › of one VM leaves another's alone", async (t) => {
		const { a, b } = t.context.harness;
		await a.repository.lease(MANIFEST_VM, "host-a");
		const other = await b.repository.lease("22222222-2222-4333-8444-555555555555", "host-b");
		await other.check();
		t.is(other.vm, "22222222-2222-4333-8444-555555555555");
	});
};

const holding = (test: ContractTest): void => {
	test("hold › is seen by every host until it is released, once or twice", async (t) => {
		const { a, b } = t.context.harness;
		const holder = { host: "host-a", job: "job-1", why: "quick restore" };
		await rejectsWith(t, a.repository.hold(MANIFEST_VM, MANIFEST_CHAIN, holder), "NOT_FOUND");
		const { id, name } = a.repository;
		await publishOn(t.context.harness, { ...aManifest(), repository: { id, name } });
		t.deepEqual(await b.repository.holds(MANIFEST_VM, MANIFEST_CHAIN), []);
		const hold = await a.repository.hold(MANIFEST_VM, MANIFEST_CHAIN, holder);
		await a.repository.hold(MANIFEST_VM, MANIFEST_CHAIN, holder);
		const [words, ...more] = await b.repository.holds(MANIFEST_VM, MANIFEST_CHAIN);
		t.regex(words ?? "", /quick restore.*job-1.*host-a/);
		t.deepEqual(more, []);
		await hold.release();
		await hold.release();
		t.deepEqual(await b.repository.holds(MANIFEST_VM, MANIFEST_CHAIN), []);
	});
};

/** Declares the tests of leases and holds on a contract's `test`. */
export const leaseContract = (test: ContractTest): void => {
	expiry(test);
	numbers(test);
	holding(test);
};
