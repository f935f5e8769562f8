import { Card, CardBody, CardHeader, CardTitle } from "@patternfly/react-core/dist/esm/components/Card";
import { Title } from "@patternfly/react-core/dist/esm/components/Title";
import type { ReactNode } from "react";

/** A titled box; `action` stands at the end of its head. */
export function Section({
  title,
  testId,
  action,
  children,
}: {
  title: string;
  testId?: string;
  action?: ReactNode;
  children: ReactNode;
}) {
  return (
    <Card isCompact className="qd-section" data-testid={testId}>
      <CardHeader {...(action ? { actions: { actions: action, hasNoOffset: true } } : {})}>
        <CardTitle>
          <Title headingLevel="h2" size="md">
            {title}
          </Title>
        </CardTitle>
      </CardHeader>
      <CardBody>{children}</CardBody>
    </Card>
  );
}
