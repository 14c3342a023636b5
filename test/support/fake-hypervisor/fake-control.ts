// What a test may do to the calls of a fake port: see them, let the n-th fail before or after its effect, hold one up.
import { KnibError } from "@knib/core";

export type FakeFailure = {
	/** Which call of that name from now on, 1 = the next. */
	readonly nth?: number;
	/** `before`: nothing happens; `after`: it happens and the caller hears of a failure. */
	readonly when?: "before" | "after";
	readonly error?: Error;
};

/** A call that is being held up. */
export type FakePause = {
	/** Resolves when the call has come. */
	readonly reached: Promise<void>;
	release(): void;
};

export type FakeControl = {
	/** Names of all calls so far, in order, with their arguments. */
	readonly calls: { readonly name: string; readonly args: readonly unknown[] }[];
	fail(name: string, failure?: FakeFailure): void;
	/** Holds up the n-th call of that name before its effect. */
	pause(name: string, nth?: number): FakePause;
	/** Puts a method under this control. */
	wrap<A extends readonly unknown[], R>(
		name: string,
		work: (...args: A) => Promise<R>,
	): (...args: A) => Promise<R>;
};

type Planned = { name: string; left: number };
type PlannedFailure = Planned & { readonly when: "before" | "after"; readonly error: Error };
type PlannedPause = Planned & { arrive(): void; readonly gate: Promise<void> };

/** The plan whose turn it is, taken out of the list. */
const due = <P extends Planned>(plans: P[], name: string): P | undefined => {
	for (const plan of plans.filter((one) => one.name === name)) plan.left -= 1;
	const index = plans.findIndex((plan) => plan.name === name && plan.left === 0);
	return index < 0 ? undefined : plans.splice(index, 1)[0];
};

/** A control that lets everything through. */
export const createFakeControl = (): FakeControl => {
	const calls: FakeControl["calls"] = [];
	const failures: PlannedFailure[] = [];
	const pauses: PlannedPause[] = [];
	return {
		calls,
		fail: (name, { nth = 1, when = "before", error } = {}) => {
			const failure = error ?? new KnibError("COMMAND_FAILED", `${name} was told to fail`);
			failures.push({ name, left: nth, when, error: failure });
		},
		pause: (name, nth = 1) => {
			let arrive = (): void => undefined;
			let release = (): void => undefined;
			const reached = new Promise<void>((resolve) => {
				arrive = resolve;
			});
			const gate = new Promise<void>((resolve) => {
				release = resolve;
			});
			pauses.push({ name, left: nth, arrive, gate });
			return { reached, release };
		},
		wrap:
			(name, work) =>
			async (...args) => {
				calls.push({ name, args });
				const pause = due(pauses, name);
				pause?.arrive();
				await pause?.gate;
				const failure = due(failures, name);
				if (failure?.when === "before") throw failure.error;
				const result = await work(...args);
				if (failure !== undefined) throw failure.error;
				return result;
			},
	};
};
