/** Quarterdeck's mark: a ship's wheel. */
export function Mark() {
  return (
    <svg className="qd-mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <g fill="none" stroke="currentColor" strokeWidth="2.4" strokeLinecap="round">
        <circle cx="16" cy="16" r="8.6" />
        <path d="M16 1.8v28.4M1.8 16h28.4M5.96 5.96l20.08 20.08M26.04 5.96L5.96 26.04" />
      </g>
      <circle fill="currentColor" cx="16" cy="16" r="3.4" />
    </svg>
  );
}
