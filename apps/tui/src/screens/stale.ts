// What a host that is away said last is shown with its age, and greyed.
import type { HostView } from "@knib/core";
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

/** Cells greyed where they are old. */
export const greyed = (cells: readonly Cell[], old: boolean): readonly Cell[] =>
	old ? cells.map((cell) => ({ ...cell, tone: "dim" })) : cells;
