// Core's library has neither DOM nor Node types. The ports name the standard AbortSignal and no more than this of it; where
// Node's types are present the two declarations merge.
declare global {
	interface AbortSignal {
		readonly aborted: boolean;
	}
}

export type {};
