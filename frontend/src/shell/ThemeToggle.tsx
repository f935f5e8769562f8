import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import MoonIcon from "@patternfly/react-icons/dist/esm/icons/moon-icon";
import SunIcon from "@patternfly/react-icons/dist/esm/icons/sun-icon";
import { useTheme } from "./theme";

/** Button that switches between light and dark. */
export function ThemeToggle() {
  const [theme, toggle] = useTheme();
  const label = theme === "dark" ? "Switch to light colours" : "Switch to dark colours";
  return (
    <Button
      variant="plain"
      aria-label={label}
      title={label}
      onClick={toggle}
      data-testid="theme"
      icon={theme === "dark" ? <SunIcon /> : <MoonIcon />}
    />
  );
}
