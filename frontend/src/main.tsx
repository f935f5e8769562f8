import "@patternfly/react-core/dist/styles/base.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { initTheme } from "./shell/theme";
// After the components, whose own styles these adapt.
import "./styles/page.css";
import "./styles/progress.css";
import "./styles/screen.css";
import "./styles/lists.css";
import "./styles/charts.css";
import "./styles/storage.css";

initTheme();
const root = document.getElementById("root");
if (!root) throw new Error("index.html has no element with the id root");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
