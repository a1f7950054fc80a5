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
{{- toYaml (mergeOverwrite (dict "host" "0.0.0.0") (deepCopy .Values.config) $made) -}}
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
  namespace: {{ . }}
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* What would start and then not work, or work and not be meant. */}}
{{- define "gateway.check" -}}
{{- $elsewhere := dict
    "port" "service" "templates" "templates" "secrets" "secrets" "redis" "redis" "state" "state"
    "tls" "tls" "shutdown" "shutdown" "operations.port" "operations"
    "access.policy" "access.policy" "access.tokens" "access.tokens" "access.jwt" "access.jwt"
    "access.tokenReview.audiences" "access.tokenReview.audiences"
    "access.certificates" "access.certificates" "access.budget" "access.budget"
    "kubernetes.connect" "kubernetes.enabled" "kubernetes.templates" "kubernetes.templates"
    "kubernetes.clusterTemplates" "kubernetes.clusterTemplates" "kubernetes.secrets" "kubernetes.secrets"
    "kubernetes.jobs.namespaces" "kubernetes.jobs.namespaces" "kubernetes.jobs.namespace" "kubernetes.jobs.namespace" -}}
{{- range $path, $value := $elsewhere -}}
{{- $below := $.Values.config -}}
{{- range splitList "." $path -}}
{{- if kindIs "map" $below -}}{{- $below = get $below . -}}{{- else -}}{{- $below = "" -}}{{- end -}}
{{- end -}}
{{- if ne (toString $below) "" -}}
{{- fail (printf "config.%s follows from other values: set %s instead" $path $value) -}}
{{- end -}}
{{- end -}}
{{- $access := .Values.access -}}
{{- if not (or .Values.existingConfigSecret $access.tokens.existingSecret $access.tokenReview.audiences $access.jwt $access.certificates) -}}
{{- fail "nobody could prove who it is, and the gateway would not start: set access.tokens.existingSecret, access.tokenReview.audiences, access.jwt or access.certificates" -}}
{{- end -}}
{{- if and $access.certificates (not .Values.tls.clientCa) -}}
{{- fail "access.certificates needs tls.clientCa" -}}
{{- end -}}
{{- if not (include "gateway.hasSharedRedis" .) -}}
{{- if gt (int .Values.replicaCount) 1 -}}
{{- fail "replicaCount is more than 1, and the gateways share no Redis: set redis.existingSecret, redis.url or valkey.enabled" -}}
{{- end -}}
{{- if .Values.autoscaling.enabled -}}
{{- fail "autoscaling.enabled needs a Redis that the gateways share: set redis.existingSecret, redis.url or valkey.enabled" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.valkey.enabled (or .Values.redis.url .Values.redis.existingSecret) -}}
{{- fail "valkey.enabled and redis are two stores: set one of them" -}}
{{- end -}}
{{- if and .Values.valkey.enabled (not .Values.valkey.existingSecret) -}}
{{- fail "valkey.existingSecret is needed: whoever reaches an open Redis can change verdicts" -}}
{{- end -}}
{{- if and .Values.tls.clientCa (not .Values.tls.existingSecret) -}}
{{- fail "tls.clientCa needs tls.existingSecret" -}}
{{- end -}}
{{- if and .Values.tls.clientCa (eq .Values.tls.clientCertificates "required") (not .Values.operations.enabled) -}}
{{- fail "probes have no certificate to show: set operations.enabled, or tls.clientCertificates to optional" -}}
{{- end -}}
{{- if and .Values.access.tokenReview.audiences (not .Values.kubernetes.enabled) -}}
{{- fail "access.tokenReview.audiences needs kubernetes.enabled" -}}
{{- end -}}
{{- if and .Values.serviceMonitor.enabled .Values.podMonitor.enabled -}}
{{- fail "serviceMonitor.enabled and podMonitor.enabled scrape everything twice: set one of them" -}}
{{- end -}}
{{- if and .Values.podMonitor.enabled (not .Values.operations.enabled) -}}
{{- fail "podMonitor.enabled needs operations.enabled" -}}
{{- end -}}
{{- if and .Values.operations.enabled (eq (int .Values.operations.port) 8080) -}}
{{- fail "operations.port is 8080, which the gateway answers callers on: choose another" -}}
{{- end -}}
{{- end -}}
