{{/* The settings file: what `config` says, and what follows from values of their own. */}}
{{- define "gateway.settings" -}}
{{- $folder := "/etc/analysis-gateway" -}}
{{- $made := dict
    "port" 8080
    "state" "/var/lib/analysis-gateway"
    "shutdown" (dict
      "delay" (printf "%ds" (int .Values.shutdown.delaySeconds))
      "grace" (printf "%ds" (int .Values.shutdown.graceSeconds))) -}}
{{- if or .Values.templates .Values.existingTemplatesConfigMap -}}
{{- $_ := set $made "templates" (printf "%s/templates" $folder) -}}
{{- end -}}
{{- if .Values.secrets -}}
{{- $_ := set $made "secrets" (printf "%s/secrets" $folder) -}}
{{- end -}}
{{- if .Values.operations.enabled -}}
{{- $_ := set $made "operations" (dict "port" (int .Values.operations.port)) -}}
{{- end -}}
{{- if .Values.tls.existingSecret -}}
{{- $tls := dict "certificate" (printf "%s/tls/tls.crt" $folder) "key" (printf "%s/tls/tls.key" $folder) -}}
{{- if .Values.tls.clientCa -}}
{{- $_ := set $tls "clientCa" (printf "%s/tls/ca.crt" $folder) -}}
{{- $_ := set $tls "clientCertificates" .Values.tls.clientCertificates -}}
{{- end -}}
{{- $_ := set $made "tls" $tls -}}
{{- end -}}
{{- $access := dict "policy" (printf "%s/policy/policy.yaml" $folder) -}}
{{- if .Values.access.tokens.existingSecret -}}
{{- $_ := set $access "tokens" (printf "%s/tokens/tokens.yaml" $folder) -}}
{{- end -}}
{{- with .Values.access.tokenReview.audiences -}}
{{- $_ := set $access "tokenReview" (dict "audiences" .) -}}
{{- end -}}
{{- with .Values.access.budget -}}
{{- $_ := set $access "budget" . -}}
{{- end -}}
{{- with .Values.access.jwt -}}
{{- $_ := set $access "jwt" . -}}
{{- end -}}
{{- if .Values.access.certificates -}}
{{- $_ := set $access "certificates" true -}}
{{- end -}}
{{- $_ := set $made "access" $access -}}
{{- if .Values.kubernetes.enabled -}}
{{- $_ := set $made "kubernetes" (include "gateway.cluster" . | fromYaml) -}}
{{- end -}}
{{- $host := .Values.config.host -}}
{{- $_ := set $made "host" (ternary $host "0.0.0.0" (kindIs "string" $host)) -}}
{{- toYaml (mergeOverwrite (deepCopy .Values.config) $made) -}}
{{- end -}}

{{- define "gateway.cluster" -}}
connect: in-cluster
templates:
{{- if .Values.kubernetes.allNamespaces }} ["*"]
{{- else }}
{{ include "gateway.templateNamespaces" . | indent 2 }}
{{- end }}
clusterTemplates: {{ .Values.kubernetes.clusterTemplates }}
{{- with .Values.kubernetes.secrets.namespaces }}
secrets: {{ toJson . }}
{{- end }}
{{- with .Values.kubernetes.jobs }}
{{- if .namespaces }}
jobs:
  namespaces: {{ toJson .namespaces }}
  {{- with .namespace }}
  namespace: {{ . | quote }}
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The text of one of `.config`, empty where there is none: what is above it may be null. */}}
{{- define "gateway.setting" -}}
{{- $value := .config -}}
{{- range splitList "." .path -}}
{{- if kindIs "map" $value -}}{{- $value = get $value . -}}{{- else -}}{{- $value = "" -}}{{- end -}}
{{- end -}}
{{- if not (kindIs "invalid" $value) -}}{{- $value -}}{{- end -}}
{{- end -}}
