import type { BlockedAction, JobEvent, JobLogLine, PlanView } from "@knib/core";
import type { Size } from "../view/frame.ts";
import type { Act } from "./acts.ts";
import type { Data, Link } from "./state.ts";

/** A pressed key: its name as blessed has it, and the character it types, if any. */
export type Key = { readonly name: string; readonly text: string | null };

/** Everything that happens to the interface. */
export type Msg =
	| { readonly type: "key"; readonly key: Key }
	| { readonly type: "resize"; readonly size: Size }
	| { readonly type: "tick"; readonly now: number }
	| { readonly type: "link"; readonly state: Link["state"]; readonly message: string | null }
	| { readonly type: "data"; readonly data: Partial<Data> }
	| { readonly type: "problem"; readonly list: keyof Data; readonly message: string }
	| { readonly type: "job-event"; readonly event: JobEvent }
	| { readonly type: "log"; readonly job: string; readonly lines: readonly JobLogLine[] }
	| { readonly type: "blocked"; readonly id: string; readonly blocked: readonly BlockedAction[] }
	| {
			readonly type: "planned";
			readonly acts: readonly Act[];
			readonly plans: readonly (PlanView | null)[];
	  }
	| { readonly type: "done"; readonly text: string; readonly job: string | null }
	| { readonly type: "failed"; readonly text: string };

/** What update wants done outside. */
export type Effect =
	| { readonly type: "plan"; readonly acts: readonly Act[] }
	| { readonly type: "act"; readonly acts: readonly Act[] }
	| { readonly type: "log"; readonly job: string }
	| { readonly type: "blocked"; readonly kind: "backup" | "chain"; readonly id: string }
	| { readonly type: "refresh" }
	| { readonly type: "copy"; readonly text: string }
	| { readonly type: "redraw" }
	| { readonly type: "suspend" }
	| { readonly type: "quit" };
