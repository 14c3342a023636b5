// What a host that is away said last is shown with its age, and greyed.
import type { HostView, VmView } from "@knib/core";
import { duration } from "@knib/core/text";
import type { State } from "../app/state.ts";
import type { Cell } from "./screen.ts";

/** How long a host has not been heard of, in words; null while it is there. */
export const silence = (state: State, host: HostView): string | null =>
	host.state === "unreachable"
		? `not seen for ${duration(state.now - Date.parse(host.seenAt))}`
		: null;

/** The age of what is known of a host by its name; null while it is there. */
export const ageOf = (state: State, name: string): string | null => {
	const host = state.data.hosts?.find((one) => one.name === name);
	return host === undefined ? null : silence(state, host);
};

/** The age of what is known of a VM; null while it is of now. */
export const vmAge = (state: State, { host, asOf = null }: VmView): string | null => {
	const silent = ageOf(state, host);
	if (silent !== null) return `${host} ${silent}`;
	if (asOf === null) return null;
	return `as of ${duration(Math.max(0, state.now - Date.parse(asOf)))} ago`;
};

/** Cells greyed where they are old. */
export const greyed = (cells: readonly Cell[], old: boolean): readonly Cell[] =>
	old ? cells.map((cell) => ({ ...cell, tone: "dim" })) : cells;
